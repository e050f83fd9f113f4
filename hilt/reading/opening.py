"""The bytes of a file: whether it can be read at all, and how it is packed.

Whether a file is packed, and often what is in it, is told by its content: a name may lie, and a
link into a cache has none that says anything.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from hilt.errors import DataError
from hilt.plain_files import kind_of_file, shown, why_unreadable
from hilt.registry import nearest

HEAD_BYTES = 1 << 16
# What reading may raise, also from inside a packed file.
UNREADABLE = (OSError, EOFError, zlib.error, pa.ArrowException)
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
PACKED_ENDINGS = (".gz", ".zst")
STRANGE = {
    b"BZh": "packed with bzip2; unpack it first",
    b"\xfd7zXZ\x00": "packed with xz; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"\xd0\xcf\x11\xe0": "an Excel workbook in the old format; save it as .xlsx or as CSV",
    b"SQLite format 3\x00": "an SQLite database; export the table as CSV",
    b"ARROW1": "an Arrow file; save it as Parquet",
    b"%PDF": "a PDF, which contains no table that can be read",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be opened.

    Attributes:
        path: Where it is, as the user wrote it.
        packing: `gzip`, `zstd` or None.
        head: The first 64 KiB of the content, unpacked.
    """

    path: str
    packing: str | None
    head: bytes

    def open(self) -> IO[bytes]:
        """Open the content, unpacked.

        Raises:
            DataError: If it cannot be opened.
        """
        try:
            return _open(self.path, self.packing)
        except OSError as error:
            raise unreadable(self.path, error) from None

    def open_seekable(self) -> IO[bytes]:
        """Open the content so that one can go back and forth in it."""
        if self.packing is None:
            return self.open()
        with self.open() as content:
            return io.BytesIO(content.read())


def open_file(path: str) -> File:
    """Make sure that a file can be read, and look at its beginning.

    Raises:
        DataError: If there is none, it is no plain file, it cannot be read, or it is of a kind
            that never holds a table.
    """
    kind = kind_of_file(file_mode(path))
    if kind:
        raise DataError(f"{shown(path)} is {kind}; give a plain file.")
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
        packing = next((kind for magic, kind in PACKED.items() if start.startswith(magic)), None)
        with _open(path, packing) as content:
            head = content.read(HEAD_BYTES)
    except UNREADABLE as error:
        raise unreadable(path, error) from None
    for magic, kind in STRANGE.items():
        if head.startswith(magic):
            raise DataError(f"{shown(path)} is {kind}.")
    return File(path, packing, head)


def file_mode(path: str) -> int:
    """Look at what stands at a path.

    Raises:
        DataError: If there is nothing, or one may not look.
    """
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - Path.stat says no more
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{shown(path)}: there is no such file or folder.{_nearest_file(Path(path))}"
        ) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def unreadable(path: str, error: Exception) -> DataError:
    """Say in a sentence why a file cannot be read."""
    return DataError(f"{shown(path)} cannot be read: {why_unreadable(error)}.")


def _nearest_file(path: Path) -> str:
    try:
        return nearest(path.name, [other.name for other in path.parent.iterdir()])
    except (OSError, ValueError):
        return ""


def _open(path: str, packing: str | None) -> IO[bytes]:
    if packing == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if packing == "zstd":
        return cast("IO[bytes]", pa.CompressedInputStream(Path(path).open("rb"), "zstd"))
    return Path(path).open("rb")
