"""How commands talk: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from hilt.errors import ConfigError, HiltError
from hilt.progress import Advance
from hilt.registry import nearest

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
DEVICES = ("auto", "cpu", "cuda", "mps")

P = ParamSpec("P")


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Turn a user's mistake into one sentence and exit code 2; `--debug` shows the traceback."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _check_device(kwargs.get("device"))
            function(*args, **kwargs)
        except HiltError as error:
            if kwargs.get("debug"):
                raise
            ERR.print(f"[bold red]Error:[/] {escape(str(error))}")
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            ERR.print("Stopped. Nothing is lost: the same command goes on from here.")
            raise typer.Exit(130) from None

    return wrapped


def emit(value: Any, *, as_json: bool, text: Callable[[], object]) -> None:  # noqa: ANN401
    """Print a result: `value` as JSON, or whatever `text` prints."""
    if as_json:
        typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=_plain))
    else:
        text()


def say(line: str) -> None:
    """Print a line in which nothing is markup."""
    OUT.print(escape(line))


def next_step(line: str) -> None:
    """Say which command comes next."""
    OUT.print(f"[dim]Next:[/] [bold]{escape(line)}[/]")


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; where the terminal is narrow, the first column is cut."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        if place == 0:
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        else:
            width = max(len(text) for text in (column, *(row[place] for row in rows)))
            table.add_column(column, justify="right", min_width=width)
    for row in rows:
        table.add_row(*map(escape, row))
    OUT.print(table)


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text("")
        digits = 0 if task.speed >= 10 else 1
        return Text(f"{task.speed:,.{digits}f} {task.fields['unit']}/s", style="cyan")


class Bars:
    """Draws a bar with rate and time left for every piece of work."""

    @contextmanager
    def task(self, description: str, total: int, unit: str) -> Iterator[Advance]:
        """Open a piece of work of `total` units."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        with Progress(*columns, console=ERR) as bars:
            task = bars.add_task(escape(description), total=total, unit=unit)
            yield lambda amount: bars.advance(task, amount)

    def note(self, text: str) -> None:
        """Print a line above the bars to come."""
        ERR.print(escape(text))


def _check_device(device: object) -> None:
    if isinstance(device, str) and device not in DEVICES:
        raise ConfigError(
            f"--device is {device!r}.{nearest(device, DEVICES)} Allowed: {', '.join(DEVICES)}."
        )


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
