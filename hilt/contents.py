"""What a file came to when it was written: by which damage is noticed later.

Whoever opens a file compares its length, and reads all of it only where its time of change is
another than when it was last found whole: after it was copied, restored or written over. Whoever
could make it again reads all of it in any case, a second for every 5 GB that are in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import xxhash

READ_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        bytes: Its length.
        mtime_ns: When it was changed last.
        checksum: Of all of it.
    """

    bytes: int
    mtime_ns: int
    checksum: str

    @classmethod
    def of(cls, path: Path) -> Content:
        """Read a file.

        Raises:
            OSError: If it cannot be read.
        """
        status = path.stat()
        time = status.st_mtime_ns
        return cls(status.st_size, time, _checksum(path, status.st_size, time))

    @classmethod
    def read(cls, value: object) -> Content | None:
        """Take one out of JSON; None where there is none, or something else."""
        known = value if isinstance(value, Mapping) else {}
        fields: list[Any] = [known.get(name) for name in ("bytes", "mtime_ns", "checksum")]
        fits = [isinstance(each, kind) for each, kind in zip(fields, (int, int, str), strict=True)]
        return cls(*fields) if all(fits) else None

    def difference(self, path: Path, *, thorough: bool = False) -> str | None:
        """Say in a clause how a file differs from this; None where it does not.

        Args:
            path: The file.
            thorough: Read all of it, however unsuspicious it is.

        Raises:
            OSError: If it cannot be read.
        """
        status = path.stat()
        if status.st_size != self.bytes:
            return f"is damaged: it has {status.st_size:,} bytes instead of {self.bytes:,}"
        if status.st_mtime_ns == self.mtime_ns and not thorough:
            return None
        if _checksum(path, status.st_size, status.st_mtime_ns) == self.checksum:
            return None
        return "is damaged: its content is not what was written"


@lru_cache(maxsize=1024)
def _checksum(path: Path, size: int, mtime_ns: int) -> str:
    """Compute the checksum of a file; once, though a command comes to it again and again."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return f"xxh3:{digest.hexdigest()}"
