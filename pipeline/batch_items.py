"""An item of a batch as it was stored, as a value."""

from __future__ import annotations

from hilt.pipeline.tables import BatchItemRow
from hilt.types import BatchItem, Candidate, Why

# How the batches began that older versions drew over the predicted labels, and called "coverage".
SPREAD = "items at random, spread over the predicted labels"


def batch_item(row: BatchItemRow, text: str, note: str) -> BatchItem:
    """Read an item of a batch.

    Args:
        row: What was stored.
        text: The item's text.
        note: How the selector went about its batch.
    """
    spread = row.reason == "coverage" and note.startswith(SPREAD)
    return BatchItem(
        rank=row.rank,
        index=row.item_index,
        item_id=row.item_id,
        text=text,
        reason="spread" if spread else row.reason,  # type: ignore[arg-type]  # `compose` wrote it
        score=row.score,
        blind=row.blind,
        proposal=tuple(Candidate(label, probability) for label, probability in row.proposal),
        why=None if row.why is None else Why(**row.why),
    )
