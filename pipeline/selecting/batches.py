"""The next batch for people."""

from __future__ import annotations

import math

from hilt.errors import ConfigError
from hilt.pipeline.selecting.composition import compose
from hilt.pipeline.training.readiness import up_to_date
from hilt.pipeline.workspace.audit_order import AUDIT_DRAW
from hilt.pipeline.workspace.audit_slice import stored_copies
from hilt.pipeline.workspace.open_batches import open_batch, read_batch
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Batch

NOTHING_LEFT = "Nothing is left to ask: every item, or a near-duplicate of it, is decided"
NOTHING_BESIDE = f"{NOTHING_LEFT}, or waits in an open batch"


def select(
    workspace: Workspace,
    size: int | None = None,
    *,
    minutes: float | None = None,
    new: bool = False,
    extend: bool = False,
) -> Batch:
    """Pick the next batch, or return the open one while somebody may still be reviewing it.

    Once everything is decided the batch is empty, has the number 0 and is not stored.

    Args:
        workspace: Where proposals stand.
        size: Items in the batch. Without it and `minutes`, what the configuration says.
        minutes: Pick as many items as fit into this many minutes of review, instead of `size`.
        new: Make a new batch even when the last one has undecided items; those go back to
            the pool.
        extend: Make a new batch beside the open ones, whose undecided items people keep.

    Raises:
        ConfigError: If there are both a size and minutes, or one of them can be none.
        WorkspaceError: If there are no proposals yet, or they are of another configuration and
            would cost much to make anew.
    """
    if size is not None and size < 1:
        raise ConfigError(f"size is {size}; a batch has at least 1 item.")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ConfigError(f"minutes is {minutes}; it must be a number above 0, such as 30.")
    if size is not None and minutes is not None:
        raise ConfigError(
            f"A batch cannot have a size ({size}) and a duration ({minutes:g} minutes);"
            " give one of the two."
        )
    section = workspace.config.batch
    if size is None and minutes is None:
        minutes = section.minutes
    with workspace.locked():
        batch = open_batch(workspace)
        if batch is not None and not new and not extend:
            return batch
        up_to_date(workspace)
        open_ = workspace.database.open_batches() if extend else []
        waiting = [row.item_index for each in open_ for row in workspace.database.batch_items(each)]
        composed = compose(workspace, size or section.size, minutes, waiting)
        if not composed.rows:
            return Batch(0, (), NOTHING_BESIDE if waiting else NOTHING_LEFT)
        audit_order = {} if workspace.audit_order.is_older else AUDIT_DRAW
        training = latest_training(workspace)
        number = workspace.database.add_batch(
            cycle=0 if training is None else training.cycle,
            selector=workspace.config.selector.model_dump()
            | {"note": composed.note, "shortage": composed.shortage}
            | stored_copies(composed.copies)
            | audit_order,
            items=composed.rows,
            extends=open_[-1] if open_ else None,
        )
        return read_batch(workspace, number)
