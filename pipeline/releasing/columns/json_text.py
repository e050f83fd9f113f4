"""Any answer, as JSON; it serves a task without a column of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from hilt.pipeline.releasing.columns.base import OTHER
from hilt.tasks.base import Task
from hilt.types import Value
from hilt.values import value_to_json


@dataclass(frozen=True, slots=True)
class JsonColumn:
    """Lists of labels with their places; see `AnswerColumn`."""

    task: Task
    name: ClassVar[str] = "answer"
    category: ClassVar[str] = OTHER  # what the answers are is known to the task alone
    use: ClassVar[str] = 'answers = dataset["answer"]'
    about: ClassVar[str] = (
        "In both files the columns `answer` and `proposal` hold an answer as JSON: a list of"
        ' labels,\neach with its place where it has one, such as `[["NAME", 0, 12]]`.'
    )

    @property
    def type(self) -> pa.DataType:
        """A text."""
        return pa.string()

    def feature(self) -> Any:  # noqa: ANN401 - the library `datasets` has no types
        """Leave it a text."""
        import datasets

        return datasets.Value("string")

    def cell(self, value: Value) -> str:
        """Give the list: `["sports"]`, `[["PER", 0, 12]]`."""
        return json.dumps(value_to_json(value), ensure_ascii=False)
