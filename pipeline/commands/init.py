"""`hilt init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.command_line import command_line
from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say

if TYPE_CHECKING:
    from hilt.pipeline.workspace.growing import Appended
    from hilt.pipeline.workspace.workspace import Workspace


def init(
    work: Work,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="The configuration, a YAML file. It may be left out if the workspace exists."
            " With --append it may name another `pool` that has the new rows.",
        ),
    ] = None,
    append: Annotated[
        bool,
        typer.Option(
            "--append",
            help="Add the new rows of the pool's file to the existing workspace. Its items"
            " keep their ids, decisions and proposals.",
        ),
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read the pool, check every row, and make the workspace.

    If a row cannot be used, nothing is made. Running it again changes nothing, but reports whether
    the pool's file has changed; --append adds its new rows.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.workspace import growing

    if append:
        appended = growing.append(work, config, progress=Bars())
        made, changes = appended.workspace, say_appended(appended)
    else:
        appended, made = None, _made(work, config)
        changes = growing.say_changes(made)
    summary = made.pool.summary
    value = {
        "workspace": work,
        "items": summary.items,
        "empty_texts": summary.empty_texts,
        "exact_duplicates": summary.exact_duplicates,
        "test_items": 0 if made.test is None else len(made.test),
        "labels": list(made.config.label_names),
        "appended": None if appended is None else {"new": appended.new, "gone": appended.gone},
        "changes": changes,
    }

    def text() -> None:
        labels = counted(len(made.config.labels), "label")
        say(f"{work}: {counted(summary.items, 'item')}, {labels}.")
        if changes:
            say(changes)
        if summary.empty_texts:
            say(
                f"{counted(summary.empty_texts, 'text is', 'texts are')} empty: they stay"
                " in the pool, but nobody is asked about an empty text."
            )
        if summary.exact_duplicates:
            copies = counted(summary.exact_duplicates, "copy of an", "copies of")
            texts = "earlier text" if summary.exact_duplicates == 1 else "earlier texts"
            say(f"{copies} {texts}: they stay in the pool, but each text is asked only once.")
        if made.test is not None:
            say(f"{counted(len(made.test), 'test item')} to measure on.")

    emit(value, as_json=json, text=text, then=next_step(LoopState.read(made)))


def _made(work: Path, config: Path | None) -> Workspace:
    """Make the workspace, or open the one that there is."""
    from hilt.pipeline.workspace.init import init
    from hilt.pipeline.workspace.workspace import is_workspace, open_workspace

    if config is not None:
        return init(work, config, progress=Bars())
    if not is_workspace(work):
        line = command_line("init", work, "--config", "CONFIG.yaml")
        raise ConfigError(f"{work} is no workspace yet; make it with `{line}`.")
    return open_workspace(work, progress=Bars())


def say_appended(appended: Appended) -> str:
    """Say in a sentence or two what was appended."""
    told = f"{counted(appended.new, 'row was', 'rows were')} new, and appended."
    if not appended.new:
        told = "No row is new; nothing was appended."
    if appended.gone:
        items = counted(appended.gone, "item has", "items have")
        told += f" {items} no row in the file that was read now; nothing about them is lost."
    return told
