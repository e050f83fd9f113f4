"""The next batch for people, and the part of it that they have not decided yet."""

from __future__ import annotations

import math
from dataclasses import replace

from hilt.errors import ConfigError, WorkspaceError
from hilt.pipeline.audit_slice import stored_copies
from hilt.pipeline.batch_items import batch_item
from hilt.pipeline.composing import compose
from hilt.pipeline.item_draws import AUDIT_DRAW, has_older_order
from hilt.pipeline.outcomes import resolve_all, standing
from hilt.pipeline.proposing import latest_training, up_to_date
from hilt.pipeline.workspace import Workspace
from hilt.types import Batch, BatchItem

NOTHING_LEFT = "Nothing is left to ask: every item, or a near-duplicate of it, is decided"
NOTHING_BESIDE = f"{NOTHING_LEFT}, or waits in an open batch"


def select(
    workspace: Workspace,
    size: int | None = None,
    *,
    minutes: float | None = None,
    anew: bool = False,
    extend: bool = False,
) -> Batch:
    """Pick the next batch, or return the open one while somebody may still be reviewing it.

    Once everything is decided the batch is empty, has the number 0 and is not stored.

    Args:
        workspace: Where proposals stand.
        size: Items in the batch. Without it and `minutes`, what the configuration says.
        minutes: Pick as many items as fit into this many minutes of review, instead of `size`.
        anew: Make a new batch even when the last one has undecided items; those go back to
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
        if batch is not None and not anew and not extend:
            return batch
        up_to_date(workspace)
        open_ = workspace.store.open_batches() if extend else []
        waiting = [row.item_index for each in open_ for row in workspace.store.batch_items(each)]
        composed = compose(workspace, size or section.size, minutes, waiting)
        if not composed.rows:
            return Batch(0, (), NOTHING_BESIDE if waiting else NOTHING_LEFT)
        audit_order = {} if has_older_order(workspace) else AUDIT_DRAW
        training = latest_training(workspace)
        number = workspace.store.add_batch(
            cycle=0 if training is None else training.cycle,
            selector=workspace.config.selector.model_dump()
            | {"note": composed.note, "shortage": composed.shortage}
            | stored_copies(composed.copies)
            | audit_order,
            items=composed.rows,
            extends=open_[-1] if open_ else None,
        )
        return read_batch(workspace, number)


def open_batch(workspace: Workspace) -> Batch | None:
    """Return the last batch while any of its items is undecided."""
    numbers = workspace.store.batch_numbers()
    if not numbers:
        return None
    batch = read_batch(workspace, numbers[-1])
    return batch if undecided(workspace, batch).items else None


def undecided(workspace: Workspace, batch: Batch) -> Batch:
    """Return the part of a batch that nobody has decided.

    A blind item waits for a person, and a recheck for somebody who decides it once more. An item
    without a text, which only an older version put there, waits for nobody.
    """
    decisions = workspace.store.decisions()
    machine = {outcome.index: outcome.machine for outcome in resolve_all(decisions)}
    decided = {
        row.item_index
        for row in standing(decisions)
        if row.batch == batch.number and not row.machine
    }

    def is_open(item: BatchItem) -> bool:
        if not item.text.strip():
            return False
        if item.reason == "recheck":
            return item.index not in decided
        return item.index not in machine or (item.blind and machine[item.index])

    return replace(batch, items=tuple(filter(is_open, batch.items)))


def read_batch(workspace: Workspace, number: int) -> Batch:
    """Read a batch as it was made.

    Raises:
        WorkspaceError: If there is none of that number.
    """
    numbers = workspace.store.batch_numbers()
    if number not in numbers:  # asked of Python, for a database refuses numbers beyond its own
        raise WorkspaceError(f"{workspace.folder} has no batch {number}; it has {len(numbers)}.")
    rows = workspace.store.batch_items(number)
    texts = workspace.pool.texts([row.item_index for row in rows])
    picked = workspace.store.batch_selector(number)
    note = picked.get("note", "")
    items = (batch_item(row, text, note) for row, text in zip(rows, texts, strict=True))
    return Batch(number, tuple(items), note, picked.get("shortage", ""))
