"""`hilt export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say
from hilt.pipeline.figures import counted


def export(
    work: Work,
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .jsonl.")],
    batch: Annotated[
        int | None,
        typer.Option("--batch", min=1, help="An earlier batch, all of it.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="csv or jsonl, instead of the ending.", show_default=False),
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="Fill in the answers from the pool's answer key, to try things out.",
        ),
    ] = False,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the open batch to a file for people to answer.

    They write a label into `label`, or `accept`, `skip` or `flag` into `action`.
    """
    from hilt.pipeline import reviewing
    from hilt.pipeline.next_steps import NextStep
    from hilt.pipeline.workspace import open_workspace

    written = reviewing.export_batch(
        open_workspace(work, progress=Bars()),
        file,
        number=batch,
        kind=kind,
        simulated=simulated,
        force=force,
    )
    value = {"batch": written.number, "items": len(written), "file": file}

    def text() -> None:
        say(f"{file}: {counted(len(written), 'item')} of batch {written.number}.")
        if not simulated:
            say("Write a label into `label`, or accept, skip or flag into `action`.")

    named = () if kind is None else ("--format", kind)
    emit(value, as_json=json, text=text, then=NextStep(("import", work, file, *named)))
