"""How far the audit of a workspace is, and how much of a batch it should be."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.audit_slice import AuditDraw, settled_copies
from hilt.pipeline.workspace.labels import ItemLabel


def audit_size(state: LoopState, size: int) -> int:
    """Say how many audit items a batch should have, so that the share is kept over all batches."""
    earlier = state.batch_items
    audited = sum(row.reason == "audit" for row in earlier) + len(state.audit_order.copies)
    wanted = round(state.files.config.batch.audit * (len(earlier) + size))
    return int(np.clip(wanted - audited, 0, size))


def audit_draw(state: LoopState, waiting: Collection[int]) -> AuditDraw:
    """Say how far the audit is: what it may draw, and of which texts it knows the label.

    Args:
        state: Has the order of the audit, and what was decided.
        waiting: Items that people are given already.
    """
    pool, labels, order = state.files.pool, state.item_labels, state.audit_order
    taken = [*decided_items(labels), *waiting]
    free = np.ones(len(pool), dtype=bool)
    free[[*taken, *settled_copies(order.copies, taken)]] = False
    asked = set(waiting)
    known = [each.index for each in labels if each.audit]
    known += [
        row.item_index
        for row in state.batch_items
        if row.reason == "audit" and row.item_index in asked
    ]
    heard = dict(zip(pool.texts(known), known, strict=True))
    return AuditDraw(order.numbers, free, heard, pool.texts)


def decided_items(labels: Sequence[ItemLabel]) -> list[int]:
    """List the items that people decided."""
    return [each.index for each in labels if not each.machine]
