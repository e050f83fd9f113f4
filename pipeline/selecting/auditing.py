"""How far the audit of a workspace is, and how much of a batch it should be."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from hilt.pipeline.workspace.audit_slice import AuditDraw, settled_copies
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Floats


def audit_size(workspace: Workspace, size: int) -> int:
    """Say how many audit items a batch should have, so that the share is kept over all batches."""
    earlier = workspace.database.batch_items()
    audited = sum(row.reason == "audit" for row in earlier) + len(workspace.drawn_copies)
    wanted = round(workspace.config.batch.audit * (len(earlier) + size))
    return int(np.clip(wanted - audited, 0, size))


def audit_draw(
    workspace: Workspace,
    numbers: Floats,
    outcomes: Sequence[ItemLabel],
    waiting: Collection[int],
) -> AuditDraw:
    """Say how far the audit is: what it may draw, and of which texts it knows the label."""
    taken = [*decided_items(outcomes), *waiting]
    free = np.ones(len(numbers), dtype=bool)
    free[[*taken, *settled_copies(workspace.drawn_copies, taken)]] = False
    asked = set(waiting)
    known = [outcome.index for outcome in outcomes if outcome.audit]
    rows = workspace.database.batch_items() if asked else []
    known += [row.item_index for row in rows if row.reason == "audit" and row.item_index in asked]
    texts = workspace.pool.texts(known)
    return AuditDraw(numbers, free, dict(zip(texts, known, strict=True)), workspace.pool.texts)


def decided_items(outcomes: Sequence[ItemLabel]) -> list[int]:
    """List the items that people decided."""
    return [outcome.index for outcome in outcomes if not outcome.machine]
