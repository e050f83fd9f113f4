"""The batch that people may still be reviewing, and the part of it that they have not decided."""

from __future__ import annotations

from dataclasses import replace

from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.batch_items import batch_item
from hilt.pipeline.workspace.labels import not_withdrawn, resolve_all
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Batch, BatchItem


def open_batch(workspace: Workspace) -> Batch | None:
    """Return the last batch while any of its items is undecided."""
    numbers = workspace.database.batch_numbers()
    if not numbers:
        return None
    batch = read_batch(workspace, numbers[-1])
    return batch if undecided(workspace, batch).items else None


def undecided(workspace: Workspace, batch: Batch) -> Batch:
    """Return the part of a batch that nobody has decided.

    A blind item waits for a person, and a recheck for somebody who decides it once more. An item
    without a text, which only an older version put there, waits for nobody.
    """
    decisions = workspace.database.decisions()
    machine = {outcome.index: outcome.machine for outcome in resolve_all(decisions)}
    decided = {
        row.item_index
        for row in not_withdrawn(decisions)
        if row.batch == batch.number and row.kind != "machine"
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
    numbers = workspace.database.batch_numbers()
    if number not in numbers:  # asked of Python, for a database refuses numbers beyond its own
        raise WorkspaceError(f"{workspace.folder} has no batch {number}; it has {len(numbers)}.")
    rows = workspace.database.batch_items(number)
    texts = workspace.pool.texts([row.item_index for row in rows])
    picked = workspace.database.batch_selector(number)
    note = picked.get("note", "")
    items = (batch_item(row, text, note) for row, text in zip(rows, texts, strict=True))
    return Batch(number, tuple(items), note, picked.get("shortage", ""))
