"""Who writes to a workspace, one command at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from hilt.errors import WorkspaceError
from hilt.files import room_for, sentences

LOCK_NAMES = {".lock", ".lock-holder"}
NOT_WRITABLE = "commands that only read work here; correct the permissions, or work on a copy"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other commands from writing to a folder meanwhile; may be nested.

    A disk that fills up in the block is said in a sentence, whoever was writing.

    Raises:
        WorkspaceError: If another command is writing.
        OutputError: If the folder cannot be written to, or the disk is full.
    """
    # One lock per folder however it is spelled, so that a nested one is known as such.
    lock = FileLock(folder.resolve() / ".lock", timeout=0, is_singleton=True)
    holder = folder / ".lock-holder"
    with sentences(folder, NOT_WRITABLE):
        try:
            lock.acquire()
        except Timeout:
            who = holder.read_text("utf-8", "replace") if holder.exists() else "another command"
            raise WorkspaceError(
                f"{folder} is being written by {who}; wait until it ends, or stop it."
            ) from None
    try:
        since = datetime.now(UTC).strftime("%H:%M:%S UTC")
        with sentences(folder, NOT_WRITABLE):
            holder.write_text(f"another command (process {os.getpid()}, since {since})", "utf-8")
        with room_for(folder):
            yield
    finally:
        lock.release()
