"""A damaged pool, read again from its source."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hilt.errors import WorkspaceError
from hilt.files import room_for
from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.building import build_pool
from hilt.pipeline.pools.pool import find_fault
from hilt.pipeline.pools.record import read_record
from hilt.tasks.base import Task


def mend_pool(
    folder: Path,
    source: Source,
    task: Task,
    fingerprint: str | None,
    note: Callable[[str], None],
    medium: Medium = TEXT,
) -> None:
    """Build a pool again, if it is damaged, and if its source still gives the same items.

    Args:
        folder: Of the pool.
        source: Where it was read from.
        task: What known answers are.
        fingerprint: That of the items; None where any will do.
        note: Told what was wrong.
        medium: What an item is.

    Raises:
        DataError: If the source cannot be used.
        WorkspaceError: If it gives other items, or if items were appended to the pool.
    """
    fault = find_fault(folder)
    if fault is None:
        return
    fresh = folder.with_name(f"{folder.name}.mended")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        with room_for(folder):
            build_pool(source, task, fresh, note, medium)
        if fingerprint not in (None, read_record(fresh).fingerprint):
            raise WorkspaceError(
                f"{fault}, and {source.path} no longer has the items that were read from it;"
                f" restore a copy of {folder}, or of that file."
            )
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    note(f"{fault}; it was read again from {source.path}.")
