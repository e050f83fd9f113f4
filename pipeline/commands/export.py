"""`hilt export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say


def export(
    work: Work,
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .jsonl.")],
    batch: Annotated[
        int | None,
        typer.Option("--batch", min=1, help="An earlier batch, all of it.", show_default=False),
    ] = None,
    format: Annotated[  # noqa: A002 - named like the option
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
    decisions: Annotated[
        bool,
        typer.Option(
            "--decisions",
            help="Write all decisions that were ever made, instead of a batch, into a .jsonl file.",
        ),
    ] = False,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the open batch to a file for people to answer, or all decisions to keep or move them.

    People write a label into `label`, or `accept`, `skip` or `flag` into `action`; `hilt import`
    reads that back.

    With `--decisions` the file has every decision that was ever made: item and text, reviewer,
    action, label, what was shown, seconds, time, comment, whether it was blind, and the batches in
    which it was asked. `hilt import NEW FILE` knows such a file by its first line. A new workspace
    of the same pool and labels gets the same state from it, the audit included; one of another
    pool, or with more labels, gets what people said as labels given before. Students are not in it
    (train again), nor are the tokens of reviewers.
    """
    from hilt.pipeline.reviewing import answer_files as reviewing
    from hilt.pipeline.reviewing.next_steps import NextStep
    from hilt.pipeline.workspace.workspace import open_workspace

    if decisions:
        given = {"--batch": batch, "--format": format, "--simulated": simulated}
        beside = [name for name, value in given.items() if value]
        if beside:
            raise ConfigError(f"--decisions writes everything; leave out {' and '.join(beside)}.")
        _export_decisions(work, file, force=force, json=json)
        return
    written = reviewing.export(
        open_workspace(work, progress=Bars()),
        file,
        batch=batch,
        format=format,
        simulated=simulated,
        force=force,
    )
    value = {"batch": written.number, "items": len(written), "file": file}

    def text() -> None:
        say(f"{file}: {counted(len(written), 'item')} of batch {written.number}.")
        if not simulated:
            say("Write a label into `label`, or accept, skip or flag into `action`.")

    named = () if format is None else ("--format", format)
    emit(value, as_json=json, text=text, then=NextStep(("import", work, file, *named)))


def _export_decisions(work: Path, file: Path, *, force: bool, json: bool) -> None:
    from hilt.pipeline.reviewing.exporting import export_decisions
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, progress=Bars())
    written = export_decisions(workspace, file, force=force)

    def text() -> None:
        batches = counted(written.batches, "batch", "batches")
        say(f"{file}: {counted(written.decisions, 'decision')} in {batches}.")
        say("`hilt import` reads it into a new workspace. Students are not in it.")

    counts = {"decisions": written.decisions, "batches": written.batches, "items": written.items}
    emit({"file": file, **counts}, as_json=json, text=text)
