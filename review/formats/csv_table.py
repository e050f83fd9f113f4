"""CSV: one row an item, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hilt.reading.options import Options
from hilt.review.base import Answers
from hilt.review.formats.answer_tables import read_answers
from hilt.review.formats.item_records import FIELDS, records_of
from hilt.types import Batch, Decision

# A spreadsheet runs a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel takes a file without it for Windows-1252, and breaks every umlaut.
BYTE_ORDER_MARK = "\ufeff"


class CsvTable:
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

    def read(
        self, path: Path, labels: Sequence[str], reviewer: str, options: Options | None = None
    ) -> Answers:
        """Read the answers back, from whatever kind of table a spreadsheet made of the file.

        Raises:
            DataError: If the file cannot be read, or lacks `id` or the answers.
        """
        return read_answers(path, labels, reviewer, options or Options())


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    text, candidates = record["text"], record["alternatives"]
    return record | {
        "blind": "true" if record["blind"] else "false",
        "text": as_cell(text),
        "alternatives": "; ".join(
            f"{candidate['label']} ({candidate['probability']:.2f})" for candidate in candidates
        ),
    }


def as_cell(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula."""
    return "'" + text if text.startswith(FORMULA) else text
