"""The help as it goes into a pipe: without frames, and no sentence cut short."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

MAX_SENTENCE_LENGTH = 400


class PlainHelp(TyperGroup):
    """Lists the commands under their headings also where the help is not for a terminal."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer hides both
        """Write every command with its first sentence, heading by heading."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            rows = panels.setdefault(panel if isinstance(panel, str) else "Commands", [])
            rows.append((name, command.get_short_help_str(MAX_SENTENCE_LENGTH)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)
