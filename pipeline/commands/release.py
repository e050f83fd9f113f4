"""`hilt release`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, next_step, say


def release(
    work: Work,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the dataset (Parquet and CSV), the student, and a card for each.

    Every row says who or what gave its label, and with which probability.
    """
    from hilt.pipeline import release as releasing
    from hilt.pipeline.workspace import open_workspace

    result = releasing.release(open_workspace(work, progress=Bars()), folder, force=force)

    def text() -> None:
        say(
            f"{result.folder}: {result.items:,} items, {result.human:,} labelled by people,"
            f" {result.inherited:,} as near-duplicates of those, {result.oracle:,} by a proposer in"
            f" a batch, {result.machine:,} by the fused proposal, {result.unlabelled:,} by nobody"
            f" ({result.skipped:,} skipped, {result.flagged:,} flagged);"
            f" {result.commented:,} have a comment."
        )
        if result.without_text:
            say(f"{result.without_text:,} items have no text, and so no label.")
        if result.student is not None:
            next_step(f"hilt predict {result.student} new.csv")

    emit(result, as_json=json, text=text)
