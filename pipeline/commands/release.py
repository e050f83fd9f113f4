"""`hilt release`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.command_line import command_line
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say


def release(
    work: Work,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the dataset (Parquet and CSV), the student, and a card for each.

    Every row says who or what labelled it, and with which probability.
    """
    from hilt.pipeline.releasing import release as releasing
    from hilt.pipeline.workspace.workspace import open_workspace

    result = releasing.release(open_workspace(work, progress=Bars()), folder, force=force)

    def text() -> None:
        say(
            f"{result.folder}: {counted(result.items, 'item')}. Labelled: {result.human:,}"
            f" by people, {result.inherited:,} as their near-duplicates, {result.oracle:,} by"
            f" a proposer in a batch, {result.machine:,} by the fused proposal. Unlabelled:"
            f" {result.unlabelled:,} ({result.skipped:,} skipped, {result.flagged:,} flagged)."
            f" {counted(result.commented, 'has', 'have')} a comment."
        )
        if result.without_text:
            items = counted(result.without_text, "item has", "items have")
            say(f"{items} no text, and therefore no label.")
        if result.student is not None:
            trust = [word for kind in result.trust for word in ("--trust", kind)]
            line = command_line("predict", result.student, "FILE", *trust)
            say(f"The student labels new texts: `{line}`.")

    emit(result, as_json=json, text=text)
