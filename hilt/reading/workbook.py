"""Excel workbooks (.xlsx): the sheet that is shown first when one opens it."""

from __future__ import annotations

import warnings as python_warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from hilt.errors import DataError, MissingExtraError
from hilt.extras import pip_install
from hilt.plain_files import shown
from hilt.reading.names import find_column, unique_names
from hilt.reading.opening import UNREADABLE, File
from hilt.reading.rows import Column, Row, tables_of
from hilt.reading.values import as_text

# What a damaged workbook makes openpyxl raise.
DAMAGED = (
    *UNREADABLE,
    zipfile.BadZipFile,
    ParseError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,  # packed with a password, or in a way that zipfile does not know
)


@dataclass(frozen=True, slots=True)
class Workbook:
    """A .xlsx file; `open_workbook` makes it. Every cell is text, written as pandas would."""

    file: File
    header: tuple[str, ...]
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def find(self, wanted: str, role: str) -> str:
        """Find a column; returns its name in `names`."""
        found = find_column(wanted, self.header, place=shown(self.file.path), role=role)
        return self.names[self.header.index(found)]

    def batches(self, columns: Sequence[Column], *, fill: bool = False) -> Iterator[pa.Table]:
        """Stream columns as text.

        Args:
            columns: Which, and what they are called in the tables that come out.
            fill: Without a meaning here: a cell that is not there is empty.

        Raises:
            DataError: If the file is damaged, a column is missing, or a row is longer than the
                header.
        """
        found = [
            Column(self.find(column.name, column.role), column.role, column.kind)
            for column in columns
        ]
        yield from tables_of(self.file.path, self.rows(), found)

    def rows(self) -> Iterator[Row]:
        """Stream rows that are not empty, each with its number in the sheet."""
        width = len(self.names)
        for number, cells in islice(_records(self.file), 1, None):
            if any(cells[width:]):
                told = f"the row has {len(cells)} cells, but the header names {width} columns"
                yield Row(number, told, "row")
                continue
            missing = [""] * (width - len(cells))
            fields = dict(zip(self.names, [*cells[:width], *missing], strict=True))
            yield Row(number, fields, "row")

    def place(self, row: int) -> str:
        """Name a row as the spreadsheet numbers it."""
        number = next(islice(_records(self.file), row + 1, None), (0, []))[0]
        return f"{self.file.path}, row {number}"


def open_workbook(file: File) -> Workbook:
    """Read the header of a workbook.

    Raises:
        DataError: If it is damaged or empty.
        MissingExtraError: If openpyxl is not installed.
    """
    header = next(_records(file), (1, []))[1]
    if not header:
        raise DataError(f"{shown(file.path)} is empty; the first row must name the columns.")
    return Workbook(file, tuple(header), tuple(unique_names(header)))


def _records(file: File) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not empty, with its number, and without empty cells at its end."""
    try:
        import openpyxl
    except ImportError:
        raise MissingExtraError(
            f"{shown(file.path)} is an Excel workbook; reading it needs openpyxl, which is"
            f" not installed: {pip_install('excel')}; or save the file as CSV."
        ) from None
    try:
        with file.open_seekable() as content, python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")  # on styles and the like, which nothing reads
            book = openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
            # What is shown first may be a sheet that holds a chart alone.
            sheet = book.active if book.active in book.worksheets else book.worksheets[0]
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                cells = [_text(cell) for cell in row]
                while cells and not cells[-1]:
                    cells.pop()
                if cells:
                    yield number, cells
    except DataError:
        raise
    except DAMAGED as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise DataError(
            f"{shown(file.path)} cannot be read as an Excel workbook: {reason}."
        ) from None


def _text(cell: Any) -> str:  # noqa: ANN401 - a cell may hold anything
    return as_text(cell, "any") or ""
