"""`hilt select`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, next_step, say, show_table

if TYPE_CHECKING:
    from hilt.types import Batch, BatchItem


def select(
    work: Work,
    size: Annotated[
        int | None,
        typer.Option("--size", "-n", min=1, help="Items in the batch.", show_default=False),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make a new batch though the last one is still open.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pick the next batch for people, the audit slice included.

    While a batch is open, the same one comes back.
    """
    from hilt.pipeline import batches
    from hilt.pipeline.workspace import open_workspace

    batch = batches.select(open_workspace(work), size, anew=new)

    def text() -> None:
        blind = sum(item.blind for item in batch.items)
        say(f"Batch {batch.number}: {len(batch)} items, {blind} of them blind, to measure.")
        rows = [_row(item) for item in batch.items[:10]]
        show_table("The first of them", ["text", "reason", "score", "proposal"], rows)
        next_step(f"hilt review {work}")

    emit(batch_value(batch), as_json=json, text=text)


def _row(item: BatchItem) -> list[str]:
    text = " ".join(item.text.split())[:60]
    if item.blind:
        return [text, "audit", "", ""]
    best = item.proposal[0]
    return [text, item.reason, f"{item.score:.2f}", f"{best.label} {best.probability:.2f}"]


def batch_value(batch: Batch) -> dict[str, object]:
    """Describe a batch as JSON can hold it; blind items without their proposal."""
    from hilt.review.records import records_of

    answers = ("label", "action", "seconds", "comment", "reviewer")
    items = [
        {name: value for name, value in record.items() if name not in answers}
        for record in records_of(batch)
    ]
    return {"batch": batch.number, "items": items}
