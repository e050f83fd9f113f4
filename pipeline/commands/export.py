"""`hilt export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Force, Format, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say


def export(
    work: Work,
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .jsonl.")],
    batch: Annotated[
        int | None,
        typer.Option(
            "--batch",
            min=1,
            help="Number of the batch to write, with all its items. Default: the undecided items"
            " of the open batch.",
            show_default=False,
        ),
    ] = None,
    format: Format = None,  # noqa: A002 - named like the option
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="Fill in answers from the pool's answer key, to try things out.",
        ),
    ] = False,
    decisions: Annotated[
        bool,
        typer.Option(
            "--decisions",
            help="Write all decisions ever made to a .jsonl file, instead of a batch.",
        ),
    ] = False,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the open batch to a file that people answer, or write all decisions to a file.

    People write a label into `label`, or `accept`, `skip` or `flag` into `action`; `hilt import`
    reads the file back.

    With `--decisions` the file has every decision ever made: item and text, reviewer, action,
    label, what was shown, seconds, time, comment, whether it was blind, and the batches in which it
    was asked. `hilt import NEW FILE` recognises such a file by its first line. A new workspace with
    the same pool and labels gets the same state from it, the audit included; a workspace with
    another pool or more labels gets the decisions as labels given before. The file has neither
    students (train again) nor the tokens of reviewers.
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
        say("`hilt import` reads it into a new workspace. It does not contain students.")

    counts = {"decisions": written.decisions, "batches": written.batches, "items": written.items}
    emit({"file": file, **counts}, as_json=json, text=text)
