"""An answer that is one label, in the column `label`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hilt.reading.names import NameIndex, label_listing, spellings
from hilt.registry import nearest
from hilt.review.answers.base import SHOWN, WrongCellError
from hilt.tasks.base import Task
from hilt.types import Value
from hilt.values import value_of

FIELD = "label"


@dataclass(frozen=True)
class LabelForm:
    """The name of the label; see `hilt.review.answers.base.AnswerForm`."""

    task: Task

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.task.labels)

    @property
    def fields(self) -> tuple[str, ...]:
        """One column."""
        return (FIELD,)

    def write(self, value: Value) -> dict[str, str]:
        """Give the name."""
        return {FIELD: value[0].label}

    def read(self, cells: Mapping[str, str]) -> Value:
        """Find the label that is meant, whatever a spreadsheet made of its capitals."""
        written, labels = cells[FIELD], self.task.labels
        chosen = self._names.match(written)
        if chosen is None:
            told = written if len(written) <= SHOWN else f"{written[:SHOWN]}..."
            hint = (
                nearest(written[:SHOWN], labels)
                if len(spellings(written, labels)) < 2
                else " More than one label is spelt like that."
            )
            raise WrongCellError(f"{told!r} is not a label.{hint} Labels: {label_listing(labels)}.")
        return value_of(chosen)
