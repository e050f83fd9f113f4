"""Batches as they were stored, and an item of one as a value."""

from __future__ import annotations

from collections.abc import Iterable

from hilt.media.shown import Shown
from hilt.pipeline.workspace.tables import BatchItemRow, BatchRow
from hilt.types import BatchItem, Explanation, Integers, Reason

# For the batch to cover the pool, by doubt, and by doubt about a label: no draw of any kind.
PICKED: tuple[Reason, ...] = ("coverage", "uncertain", "recheck")

# How the batches began that older versions drew over the predicted labels, and called "coverage".
SPREAD = "items at random, spread over the predicted labels"


def last_chain(batches: Iterable[BatchRow]) -> list[int]:
    """List the numbers of the last batch and of those that it extends, oldest first."""
    extends = {batch.number: batch.extends for batch in batches}
    chain: list[int] = []
    number = max(extends, default=None)
    while number is not None:
        chain.insert(0, number)
        number = extends[number]
    return chain


def batch_item(row: BatchItemRow, shown: Shown, note: str) -> BatchItem:
    """Read an item of a batch.

    Args:
        row: What was stored.
        shown: What a person sees of the item.
        note: How the selector went about its batch.
    """
    return BatchItem(
        rank=row.rank,
        index=row.item_index,
        item_id=row.item_id,
        shown=shown,
        reason=_reason(row, note),
        score=row.score,
        blind=row.blind,
        proposal=row.proposal,
        why=None if row.why is None else Explanation(**row.why),
        proposed=row.proposed,
    )


def any_picked(
    batches: Iterable[BatchRow], items: Iterable[BatchItemRow], indices: Integers
) -> bool:
    """Tell whether a selector picked any of these items, and did not draw them all at random."""
    asked = set(indices.tolist())
    notes = {batch.number: str(batch.selector.get("note", "")) for batch in batches}
    return any(
        item.item_index in asked and _reason(item, notes[item.batch]) in PICKED for item in items
    )


def _reason(row: BatchItemRow, note: str) -> Reason:
    spread = row.reason == "coverage" and note.startswith(SPREAD)
    return "spread" if spread else row.reason  # type: ignore[return-value]  # `compose` wrote it
