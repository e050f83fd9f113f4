"""An answer that is one label: its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from hilt.tasks.base import Task
from hilt.types import Value


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """Names of labels; see `hilt.pipeline.releasing.columns.base.AnswerColumn`."""

    task: Task
    name: ClassVar[str] = "label"
    category: ClassVar[str] = "text-classification"
    use: ClassVar[str] = 'names = dataset.features["label"].names'
    about: ClassVar[str] = (
        "In both files the columns `label` and `proposal` hold the name of a label; loaded like"
        " that they are a\n`ClassLabel`, numbered in the order of `labels.json`."
    )

    @property
    def type(self) -> pa.DataType:
        """A text."""
        return pa.string()

    def feature(self) -> Any:  # noqa: ANN401 - the library `datasets` has no types
        """Let names be classes."""
        import datasets

        return datasets.ClassLabel(names=list(self.task.labels))

    def cell(self, value: Value) -> str:
        """Give the name."""
        return value[0].label
