"""Temporary files and folders beside the place that they are to become.

Nobody can guess their names. Who makes one holds a lock on it, so that what a kill left can be told
from what is being written, and goes when somebody writes there again.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = re.compile(r"\.hilt-[0-9a-f]{16}")


def temporary_name() -> str:
    """Make a name that nobody can guess, and nobody else uses."""
    return f".hilt-{secrets.token_hex(8)}"


@contextmanager
def temporary_beside(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """Make an empty file, or folder, beside a place, and clear what kills left there.

    Whoever asked renames it or removes it.

    Raises:
        OSError: If it cannot be made.
    """
    _clear(path.parent)
    temporary, lock = _make(path.parent, folder)
    try:
        yield temporary
    finally:
        os.close(lock)


def _make(parent: Path, folder: bool) -> tuple[Path, int]:
    """Make a temporary, and open it under its lock."""
    while True:
        temporary = parent / temporary_name()
        if folder:
            temporary.mkdir()
        else:
            temporary.touch(exist_ok=False)
        with suppress(FileNotFoundError):  # another took it for a leftover before it was locked
            lock = os.open(temporary, os.O_RDONLY)
            _take(lock, wait=True)
            if temporary.exists():
                return temporary, lock
            os.close(lock)


def _clear(folder: Path) -> None:
    """Remove one's own temporaries that nobody holds any more."""
    with suppress(OSError):
        for path in folder.iterdir():
            if NAME.fullmatch(path.name):
                _remove_left(path)


def _remove_left(path: Path) -> None:
    with suppress(OSError):
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(lock)
            if status.st_uid != os.getuid() or not _take(lock):
                return
            if stat.S_ISDIR(status.st_mode):
                shutil.rmtree(path)
            elif stat.S_ISREG(status.st_mode):
                path.unlink()
        finally:
            os.close(lock)


def _take(lock: int, *, wait: bool = False) -> bool:
    """Take the lock on an open file or folder; False where another has it, or there are none."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
