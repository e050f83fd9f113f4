"""What the audit does not measure, and why, so that its figures can say so.

The audit draws among the items that nobody has decided. What was labelled outside batches, as by
importing labels, is decided and so never drawn: the audit is a sample of the other items. And an
item that people skip or flag has no label to measure by.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilt.pipeline.workspace.audit_slice import count_drawn
from hilt.pipeline.workspace.labels import resolve_all
from hilt.pipeline.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the audit does not measure.

    Attributes:
        outside_batches: Items that people decided, and that no batch had asked about.
        without_label: Items of the audit that people skipped or flagged.
    """

    outside_batches: int
    without_label: int


def find_left_out(workspace: Workspace, last_decision: int) -> LeftOut:
    """Count what the audit did not measure, when some decision was the last one."""
    store = workspace.database
    rows = [row for row in store.decisions() if row.id <= last_decision]
    empty = set(workspace.pool.empty.tolist())
    decided = [o for o in resolve_all(rows) if not o.machine and o.index not in empty]
    batches = store.batch_items()
    # A recheck asks about what has a label, wherever that came from.
    asked = {row.item_index for row in batches if row.reason != "recheck"}
    drawn = {row.item_index for row in batches if row.reason == "audit"}
    skipped = [o.index for o in decided if o.label is None and o.index in drawn]
    return LeftOut(
        outside_batches=sum(outcome.index not in asked for outcome in decided),
        without_label=int(count_drawn(workspace.drawn_copies, skipped).sum()),
    )
