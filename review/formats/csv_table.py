"""CSV: one row an item, for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hilt.reading.options import Options
from hilt.review.answers.base import form_of
from hilt.review.base import Answers
from hilt.review.formats.answer_tables import read_answers
from hilt.review.formats.item_records import fields_of, records_of
from hilt.tasks.base import Task
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

    def lacks(self, task: Task) -> str | None:
        """Give None: every task has a form."""
        return None

    def write(
        self, batch: Batch, path: Path, task: Task, decisions: Sequence[Decision] = ()
    ) -> None:
        """Write a header and one row an item, with the answer empty unless decided."""
        sheet = io.StringIO(newline="")
        form = form_of(task)
        writer = csv.DictWriter(sheet, fields_of(form))
        writer.writeheader()
        writer.writerows(map(_flat, records_of(batch, form, decisions)))
        path.write_bytes((BYTE_ORDER_MARK + sheet.getvalue()).encode())

    def read(
        self, path: Path, task: Task, reviewer: str, options: Options | None = None
    ) -> Answers:
        """Read the answers back, from whatever kind of table a spreadsheet made of the file.

        Raises:
            DataError: If the file cannot be read, or lacks `id` or the answers.
        """
        return read_answers(path, form_of(task), reviewer, options or Options())


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    text, candidates = record["text"], record["alternatives"]
    cells = {name: _cell(value) for name, value in record.items()}
    return cells | {
        "blind": "true" if record["blind"] else "false",
        "text": as_cell(text),
        "alternatives": "; ".join(
            f"{candidate['label']} ({candidate['probability']:.2f})" for candidate in candidates
        ),
    }


def _cell(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def as_cell(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula."""
    return "'" + text if text.startswith(FORMULA) else text
