"""An answer in one cell of text, as known answers stand in a source and in a pool."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from hilt.reading.values import Kind
from hilt.review.answers.base import KINDS, AnswerForm, WrongCellError, form_of
from hilt.review.answers.json_cell import JsonForm
from hilt.tasks.base import Task
from hilt.types import Value


@dataclass(frozen=True)
class AnswerCell:
    """The task's answer form, or JSON where that has several columns."""

    task: Task

    @cached_property
    def _form(self) -> AnswerForm:
        form = form_of(self.task)
        return form if len(form.fields) == 1 else JsonForm(self.task)

    @property
    def _field(self) -> str:
        return self._form.fields[0]

    @property
    def kind(self) -> Kind:
        """What its column may hold."""
        return KINDS.get(self._field, "any")

    def read(self, cell: str) -> Value:
        """Read an answer; its places, if it has any, may still be none of the item.

        Args:
            cell: A text that is not blank.

        Raises:
            WrongCellError: If it is none.
        """
        value = self._form.read({self._field: cell})
        problem = self.task.answers.problem(value, None)
        if problem is not None:
            raise WrongCellError(problem)
        return value

    def write(self, value: Value) -> str:
        """Write an answer, always in the same way."""
        told = self._form.write(value)[self._field]
        return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
