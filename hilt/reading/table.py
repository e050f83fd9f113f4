"""The one reader of tables: whatever the file, its columns come out as text.

`init`, `import` and `predict` read through this and nothing else. It knows nothing of pools and
answers, and raises nothing but errors of hilt.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from hilt.errors import DataError
from hilt.plain_files import shown
from hilt.reading.arrow_tables import open_dataset, open_parquet
from hilt.reading.delimited import open_delimited
from hilt.reading.encoding import MARKS
from hilt.reading.json_rows import open_json
from hilt.reading.opening import PACKED_ENDINGS, UNREADABLE, File, file_mode, open_file
from hilt.reading.options import HUB, Format, Options
from hilt.reading.rows import Column, Row
from hilt.reading.workbook import open_workbook

FORMATS: dict[str, Format] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "workbook",
}
ENDINGS = (*FORMATS, ".txt")


class Table(Protocol):
    """A table in a file, read in the order of the file and in constant memory."""

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, as the file names them."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what may have been read otherwise than it was meant."""
        ...

    def find(self, wanted: str, role: str) -> str:
        """Find a column, whose name may differ in case and outer spaces.

        Args:
            wanted: The name that somebody wrote.
            role: The option in which it was written, for the message.

        Raises:
            DataError: If there is none, or more than one.
        """
        ...

    def batches(self, columns: Sequence[Column], *, fill: bool = False) -> Iterator[pa.Table]:
        """Stream columns as text; nulls stand where a file has them.

        Args:
            columns: Which, and what they are called in the tables that come out.
            fill: Whether a row may lack what the header names.

        Raises:
            DataError: For the first row that cannot be read; the message names file and line.
        """
        ...

    def rows(self) -> Iterator[Row]:
        """Stream rows with all columns, and those that cannot be read with what is wrong."""
        ...

    def place(self, row: int) -> str:
        """Say where a row (from 0) stands, for messages: `data.csv, line 12`."""
        ...


def open_table(path: Path | str, options: Options | None = None) -> Table:
    """Find out what a file is, by its name and its content, and how it is written.

    Args:
        path: A file, a folder saved by `datasets`, or `hub:owner/name`.
        options: What cannot be told by looking.

    Raises:
        DataError: If it cannot be read.
        ConfigError: If an option is wrong.
        MissingExtraError: If a package is missing that reads it.
    """
    path, options = str(path), options or Options()
    if path.startswith(HUB) or stat.S_ISDIR(file_mode(path)):
        return open_dataset(path, options)
    file = open_file(path)
    return OPENERS[options.format or _format(file)](file, options)


def _open_delimited(file: File, options: Options) -> Table:
    return open_delimited(file, options, tabs=_ending(file.path) == ".tsv")


OPENERS: dict[Format, Callable[[File, Options], Table]] = {
    "delimited": _open_delimited,
    "json": open_json,
    "parquet": lambda file, _: open_parquet(file),
    "workbook": lambda file, _: open_workbook(file),
}


def _format(file: File) -> Format:
    """Tell the format: by the content where that is beyond doubt, else by the name."""
    if file.head.startswith(b"PAR1"):
        return "parquet"
    if file.head.startswith(b"PK\x03\x04"):
        _check_workbook(file)
        return "workbook"
    ending = _ending(file.path)
    named = FORMATS.get(ending)
    if named == "parquet":
        raise DataError(
            f"{shown(file.path)} cannot be read as Parquet: it does not begin like a Parquet file."
        )
    if named == "workbook":
        raise DataError(
            f"{shown(file.path)} cannot be read as an Excel workbook: it does not begin like one."
        )
    if named:
        return named
    if _is_binary(file.head):
        raise DataError(
            f"{shown(file.path)}: this kind of file cannot be read. Allowed:"
            f" {', '.join(ENDINGS)}, each also with {' or '.join(PACKED_ENDINGS)}, or a folder"
            " saved by `datasets`."
        )
    return "json" if _looks_like_json(file.head) else "delimited"


def _ending(path: str) -> str:
    """The ending that names the format, without that of the packing."""
    name = Path(path).name.lower()
    for packed in PACKED_ENDINGS:
        name = name.removesuffix(packed)
    return Path(name).suffix


def _is_binary(head: bytes) -> bool:
    marked = any(head.startswith(mark) for mark in MARKS)
    return not marked and head[:1024].count(0) > 0 and not _looks_like_utf16(head)


def _looks_like_utf16(head: bytes) -> bool:
    return head[:64].count(0) * 3 > min(64, len(head))


def _looks_like_json(head: bytes) -> bool:
    text = next(
        (head.decode(codec, "replace") for mark, codec in MARKS.items() if head.startswith(mark)),
        head.decode("utf-8", "replace"),
    )
    return re.match(r'\s*(\[\s*)?\{\s*("|\}|$)', text) is not None


def _check_workbook(file: File) -> None:
    """Make sure that a zip archive is a workbook."""
    try:
        with file.open_seekable() as content, zipfile.ZipFile(content) as archive:
            if "xl/workbook.xml" in archive.namelist():
                return
    except (*UNREADABLE, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{shown(file.path)} is a zip archive or an Excel workbook (.xlsx), but damaged:"
            f" {error}."
        ) from None
    raise DataError(f"{shown(file.path)} is a zip archive; unpack it first.")
