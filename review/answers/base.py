"""The seam of this folder: how the answers of a task stand in the cells of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hilt.reading.values import Kind
from hilt.registry import Registry
from hilt.tasks.base import Task
from hilt.types import Value

KINDS: dict[str, Kind] = {"id": "id", "label": "label"}  # of columns; others hold anything
SHOWN = 60  # characters of a cell that a message shows


class WrongCellError(ValueError):
    """A cell holds no answer; the message says why, in a sentence."""


class AnswerForm(Protocol):
    """Which cells of a line hold an answer, and how."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the columns, at least one."""
        ...

    def write(self, value: Value) -> dict[str, Any]:
        """Write an answer: for every field what JSON can hold."""
        ...

    def read(self, cells: Mapping[str, str]) -> Value:
        """Read an answer.

        Args:
            cells: For every field the text of its cell; at least one is not blank.

        Raises:
            WrongCellError: If it is none.
        """
        ...


FORMS = Registry(
    "answer form",
    {
        "label": "hilt.review.answers.label:LabelForm",
        "json": "hilt.review.answers.json_cell:JsonForm",
    },
    methods=("fields", "write", "read"),
    given=("task",),
)


def form_of(task: Task) -> AnswerForm:
    """Make the form in which a task's answers stand in files.

    Raises:
        ExtensionError: If the task names a form of its own that cannot be built.
        UnknownNameError: If it names none that there is.
    """
    form: AnswerForm = FORMS.make(task.form, f"answer form {task.form!r}", {}, task)
    return form
