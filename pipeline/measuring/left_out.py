"""What the audit does not measure, and why, so that its figures can say so.

The audit draws among the items that nobody has decided. What was labelled outside batches, as by
importing labels, is decided and so never drawn: the audit is a sample of the other items. And an
item that people skip or flag has no label to measure by.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.audit_slice import count_drawn
from hilt.pipeline.workspace.labels import resolve_all


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the audit does not measure.

    Attributes:
        outside_batches: Items that people decided, and that no batch had asked about.
        without_label: Items of the audit that people skipped or flagged.
    """

    outside_batches: int
    without_label: int


def find_left_out(state: LoopState, last_decision: int) -> LeftOut:
    """Count what the audit did not measure, when some decision was the last one."""
    empty = set(state.files.pool.empty.tolist())
    known = (row for row in state.decisions if row.id <= last_decision)
    labels = resolve_all(known, state.files.task.answers)
    decided = [each for each in labels if not each.machine and each.index not in empty]
    # A recheck asks about what has a label, wherever that came from.
    asked = {row.item_index for row in state.batch_items if row.reason != "recheck"}
    drawn = {row.item_index for row in state.batch_items if row.reason == "audit"}
    skipped = [each.index for each in decided if each.value is None and each.index in drawn]
    return LeftOut(
        outside_batches=sum(each.index not in asked for each in decided),
        without_label=int(count_drawn(state.audit_order.copies, skipped).sum()),
    )
