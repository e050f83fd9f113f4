"""The next batch for people."""

from __future__ import annotations

import math

from hilt.errors import ConfigError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.selecting.composition import compose
from hilt.pipeline.training.readiness import up_to_date
from hilt.pipeline.workspace.audit_order import AUDIT_DRAW
from hilt.pipeline.workspace.audit_slice import stored_copies
from hilt.pipeline.workspace.database import Database
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
    """Pick the next batch, or return the open one while it has undecided items.

    Once everything is decided the batch is empty, has the number 0 and is not stored.

    Args:
        workspace: The workspace, with proposals.
        size: Number of items in the batch; default: the configuration.
        minutes: Pick as many items as fit into this many minutes of review, instead of `size`.
        new: Make a new batch even when the last one has undecided items; those go back to
            the pool.
        extend: Make a new batch, and keep undecided items open alongside it.

    Raises:
        ConfigError: If there are both a size and minutes, or one of them can be none.
        WorkspaceError: If there are no proposals yet, or they are of another configuration and
            would cost much to make new.
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
    with workspace.locked():
        state = LoopState.read(workspace)
        if state.open_batch is not None and not new and not extend:
            return state.open_batch
        panel = Panel.of(state)
        state = up_to_date(state, panel, workspace.database)
        return make_batch(state, panel, workspace.database, size, minutes, extend=extend)


def make_batch(
    state: LoopState,
    panel: Panel,
    database: Database,
    size: int | None = None,
    minutes: float | None = None,
    *,
    extend: bool = False,
) -> Batch:
    """Pick a batch and store it, under the lock; see `select`.

    Args:
        state: As it is, with proposals of the present configuration.
        panel: What the proposers say.
        database: Where the batch is stored.
        size: Items in the batch.
        minutes: What they may take people.
        extend: Leave the open batches to people.
    """
    section = state.files.config.batch
    if size is None and minutes is None:
        minutes = section.minutes
    open_ = state.chain if extend else []
    waiting = [row.item_index for row in state.batch_items if row.batch in open_]
    composed = compose(state, panel, size or section.size, minutes, waiting)
    if not composed.rows:
        return Batch(0, (), NOTHING_BESIDE if waiting else NOTHING_LEFT)
    row = database.add_batch(
        cycle=0 if state.training is None else state.training.cycle,
        selector=state.files.config.selector.model_dump()
        | {"note": composed.note, "shortage": composed.shortage}
        | stored_copies(composed.copies)
        | ({} if state.audit_order.is_older else AUDIT_DRAW),
        items=composed.rows,
        extends=open_[-1] if open_ else None,
    )
    return state.after_batch(row, composed.rows).batch(row.number)
