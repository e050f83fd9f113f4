"""Whole files: read as UTF-8 or not at all."""

from __future__ import annotations

from pathlib import Path

from hilt.errors import DataError


def read_whole(path: Path) -> str:
    """Read a file as UTF-8, with or without a byte order mark.

    Raises:
        DataError: If it cannot be read, or is not UTF-8; the message names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8;"
            ' save the file as UTF-8 (in Excel: "CSV UTF-8").'
        ) from None
