"""What tells that a saved student is as it was saved: its files, its labels, and their order.

`student.json` holds the SHA-256 of every file that belongs to the student, and a checksum over
those, the labels and the number of the format. The embedder is not part of it: its folder may move,
and it has a checksum of its own. In a workspace it also holds which file on the disk each of them
is, how long it is and when it was changed last, so that what is as it was saved is not read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from hilt.files import read_object

RECORD = "student.json"
STAMPS = "stamps"  # in the record, by the name of a file: inode, length, time of the last change
FORMAT = 3  # 1 had the path of the embedder as the configuration wrote it; 2 had no checksum
UNSEALED = 2
BESIDE = (RECORD, "README.md")  # written later, and nothing that a student is made of


def seal(folder: Path, labels: tuple[str, ...]) -> dict[str, Any]:
    """Look at all files of a student that is being saved, and give what its record says of them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in BESIDE)
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    sealed = {"format": FORMAT, "labels": list(labels), "files": files}
    return {**sealed, "checksum": _checksum(sealed)}


def stamps(folder: Path, names: Iterable[str]) -> dict[str, list[int]]:
    """Say which files these are, how long they are, and when they were changed last."""
    return {name: _stamp(folder / name) for name in names}


def find_fault(folder: Path) -> str | None:
    """Say in a clause how a saved student differs from what was saved; None where it does not.

    Of a student that an older hilt saved it is known only whether its record can be read.
    """
    record = read_object(folder / RECORD)
    if record is None:
        return f"{folder / RECORD} is gone, or contains no JSON object"
    number = record.get("format")
    if not isinstance(number, int) or (number <= UNSEALED and "checksum" not in record):
        return None
    if record.get("checksum") != _checksum(record):
        return f"the format, the labels or the list of files in {folder / RECORD} were changed"
    known = record.get(STAMPS)
    seen: Mapping[str, Any] = known if isinstance(known, dict) else {}
    faults = (_fault(folder / name, of, seen.get(name)) for name, of in record["files"].items())
    return next((fault for fault in faults if fault is not None), None)


def _fault(path: Path, written: str, stamp: object) -> str | None:
    """Say in a clause how a file differs from what was written; its stamp may speak for it."""
    if not path.is_file():
        return f"{path} is gone"
    try:
        if _stamp(path) == stamp or _sha256(path) == written:
            return None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return f"{path} was changed, or is damaged"


def _checksum(record: Mapping[str, Any]) -> str:
    content = [record.get(name) for name in ("format", "labels", "files")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _sha256(path: Path) -> str:
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    """Read a file; once, though a command comes to it again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
