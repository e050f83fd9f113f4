"""JSON Lines: one object an item, for programs and text editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hilt.reading.options import Options
from hilt.review.answers.base import form_of
from hilt.review.base import Answers
from hilt.review.formats.answer_tables import read_answers
from hilt.review.formats.item_records import records_of
from hilt.tasks.base import Task
from hilt.types import Batch, Decision

# Line breaks to many programs, though not to JSON.
BREAKS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}


class JsonLines:
    """Batches as JSON Lines."""

    def lacks(self, task: Task) -> str | None:
        """Give None: every task has a form."""
        return None

    def write(
        self, batch: Batch, path: Path, task: Task, decisions: Sequence[Decision] = ()
    ) -> None:
        """Write one line an item, with the answer null unless decided."""
        lines = [
            json.dumps(record, ensure_ascii=False) + "\n"
            for record in records_of(batch, form_of(task), decisions)
        ]
        text = "".join(lines)
        for character, escape in BREAKS.items():
            text = text.replace(character, escape)
        path.write_bytes(text.encode())

    def read(
        self, path: Path, task: Task, reviewer: str, options: Options | None = None
    ) -> Answers:
        """Read the answers back.

        Raises:
            DataError: If the file cannot be read.
        """
        json_only = replace(options or Options(), format="json")
        return read_answers(path, form_of(task), reviewer, json_only)
