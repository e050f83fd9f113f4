"""CSV: one row an item, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hilt.errors import DataError
from hilt.review.answers import Line, collect
from hilt.review.base import Answers
from hilt.review.files import read_whole
from hilt.review.records import FIELDS, records_of
from hilt.types import Batch, Decision

# A spreadsheet runs a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel takes a file without it for Windows-1252, and breaks every umlaut.
BYTE_ORDER_MARK = "\ufeff"
DELIMITERS = ",;\t"
# The csv module refuses longer fields unless told; this is what a C long holds everywhere.
LONGEST_FIELD = 2**31 - 1
# Put after the last line: only a quote that is still open takes it in.
END = "\0end of file\0"


class Table:
    """Batches as CSV in UTF-8.

    A text that a spreadsheet would run as a formula gets a `'` in front: the text is only
    shown, and never read back. Ids and labels are read back, so they stay exact.
    """

    def write(self, batch: Batch, path: Path, decisions: Sequence[Decision] = ()) -> None:
        """Write a header and one row an item, with `label` and `action` empty unless decided."""
        sheet = io.StringIO(newline="")
        writer = csv.DictWriter(sheet, FIELDS)
        writer.writeheader()
        writer.writerows(map(_flat, records_of(batch, decisions)))
        path.write_bytes((BYTE_ORDER_MARK + sheet.getvalue()).encode())

    def read(self, path: Path, labels: Sequence[str], reviewer: str) -> Answers:
        """Read the answers back; the columns may also be separated by `;` or tabs, as Excel does.

        Raises:
            DataError: If the file cannot be read, is not UTF-8, or lacks `id` or the answers.
        """
        return collect(_lines(path, read_whole(path)), labels, reviewer)


def as_cell(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    text, candidates = record["text"], record["alternatives"]
    return record | {
        "blind": "true" if record["blind"] else "false",
        "text": as_cell(text),
        "alternatives": "; ".join(
            f"{candidate['label']} ({candidate['probability']:.2f})" for candidate in candidates
        ),
    }


def _lines(path: Path, content: str) -> Iterator[Line]:
    delimiter, header = _header(path, content)
    records = _records(content, delimiter)
    next(records)
    for number, cells in records:
        if cells[-1].endswith(END):
            yield Line(number, "a quote is opened in the row that begins here, and never closed.")
            continue
        extra = [cell for cell in cells[len(header) :] if cell.strip()]
        if extra:
            found = f"{len(cells)} cells, but the header names {len(header)} columns."
            yield Line(number, f"the row has {found}")
        else:
            # Excel leaves out empty cells at the end of a row.
            yield Line(number, dict(zip(header, cells, strict=False)))


def _header(path: Path, content: str) -> tuple[str, list[str]]:
    """Find the delimiter with which `id` is among the columns, and the columns."""
    for delimiter in DELIMITERS:
        _, header = next(_records(content, delimiter), (1, []))
        names = [name.strip().casefold() for name in header]
        if "id" in names and not {"label", "action"}.isdisjoint(names):
            break
    else:
        header = next(_records(content, ","), (1, []))[1]
        listed = ", ".join(repr(name) for name in header) or "none"
        raise DataError(
            f"{path}: the header must name `id`, and `label` or `action`. Columns: {listed}."
        )
    repeated = sorted({name for name in names if name in FIELDS and names.count(name) > 1})
    if repeated:
        raise DataError(f"{path}: the column {repeated[0]!r} stands twice in the header.")
    return delimiter, names


def _records(content: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank, with the line on which it begins."""
    csv.field_size_limit(LONGEST_FIELD)
    lines = chain(io.StringIO(content, newline=""), [END])
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    for cells in reader:
        if cells != [END] and any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1
