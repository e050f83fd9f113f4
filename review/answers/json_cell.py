"""Any answer, as JSON in the column `answer`; it serves a task without a form of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hilt.review.answers.base import SHOWN, WrongCellError
from hilt.tasks.base import Task
from hilt.types import Value
from hilt.values import value_from_json, value_to_json

FIELD = "answer"


@dataclass(frozen=True, slots=True)
class JsonForm:
    """A list of labels, each with its place where it has one; see `AnswerForm`."""

    task: Task

    @property
    def fields(self) -> tuple[str, ...]:
        """One column."""
        return (FIELD,)

    def write(self, value: Value) -> dict[str, list[Any]]:
        """Give the list: `["sports"]`, `[["PER", 0, 12]]`."""
        return {FIELD: value_to_json(value)}

    def read(self, cells: Mapping[str, str]) -> Value:
        """Read the list."""
        try:
            return value_from_json(json.loads(cells[FIELD]))
        except (ValueError, RecursionError):
            shown = cells[FIELD][:SHOWN]
            raise WrongCellError(
                f"{FIELD} is {shown!r}; it must be a list of labels as JSON, such as"
                f' ["{self.task.labels[0]}"], each with its place where it has one, such as'
                f' [["{self.task.labels[0]}", 0, 12]].'
            ) from None
