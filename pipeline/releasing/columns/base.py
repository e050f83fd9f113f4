"""The seam of this folder: what holds the answers of a task in a released dataset."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from hilt.registry import Registry
from hilt.tasks.base import Task
from hilt.types import Value

OTHER = "other"  # a category of tasks, which is none of models
PROPOSAL = "proposal"  # the column of what is proposed, which holds the same as that of the answer


class AnswerColumn(Protocol):
    """The column of the answer."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def type(self) -> pa.DataType:
        """What it holds; CSV must be able to."""
        ...

    @property
    def category(self) -> str:
        """What hubs call the task: `text-classification`, `token-classification`, or `other`."""
        ...

    @property
    def about(self) -> str:
        """What the card says of it, as Markdown."""
        ...

    @property
    def use(self) -> str:
        """A line of Python that uses it, of a `dataset` as the library `datasets` loads it."""
        ...

    def feature(self) -> Any:  # noqa: ANN401 - the library `datasets` has no types
        """Say what the library `datasets` makes of it."""
        ...

    def cell(self, value: Value) -> Any:  # noqa: ANN401 - of the column's type
        """Write an answer."""
        ...


COLUMNS = Registry(
    "release column",
    {
        "label": "hilt.pipeline.releasing.columns.label:LabelColumn",
        "json": "hilt.pipeline.releasing.columns.json_text:JsonColumn",
    },
    methods=("name", "type", "category", "about", "use", "feature", "cell"),
    given=("task",),
)


def column_of(task: Task) -> AnswerColumn:
    """Make what holds the answers of a task.

    Raises:
        ExtensionError: If the task names a class of its own that cannot be built.
        UnknownNameError: If it names none that there is.
    """
    column: AnswerColumn = COLUMNS.make(task.column, f"release column {task.column!r}", {}, task)
    return column
