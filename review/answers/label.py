"""An answer that is one label, in the column `label`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hilt.reading.names import label_listing, match_name
from hilt.registry import nearest
from hilt.review.answers.base import SHOWN, WrongCellError
from hilt.tasks.base import Task
from hilt.types import Value
from hilt.values import value_of

FIELD = "label"


@dataclass(frozen=True, slots=True)
class LabelForm:
    """The name of the label; see `hilt.review.answers.base.AnswerForm`."""

    task: Task

    @property
    def fields(self) -> tuple[str, ...]:
        """One column."""
        return (FIELD,)

    def write(self, value: Value) -> dict[str, str]:
        """Give the name."""
        return {FIELD: value[0].label}

    def read(self, cells: Mapping[str, str]) -> Value:
        """Find the label that is meant."""
        return value_of(label_of(cells[FIELD], self.task.labels))


def label_of(written: str, labels: tuple[str, ...]) -> str:
    """Find the label that is meant, whatever a spreadsheet made of its capitals.

    Raises:
        WrongCellError: If there is no such label.
    """
    chosen = match_name(written, labels)
    if chosen is None:
        shown = written if len(written) <= SHOWN else f"{written[:SHOWN]}..."
        raise WrongCellError(
            f"{shown!r} is not a label.{nearest(written[:SHOWN], labels)}"
            f" Labels: {label_listing(labels)}."
        )
    return chosen
