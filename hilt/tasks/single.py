"""The task `single`: exactly one of the labels for an item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from hilt.reading.names import label_listing
from hilt.registry import nearest
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.categorical import CategoricalRows, one_hot
from hilt.types import Candidate, Content, Floats, Integers, Part, Value
from hilt.values import in_words


@dataclass(frozen=True)
class Single:
    """Exactly one of the labels for an item; a row of probabilities, one for each label."""

    layout: ClassVar[str] = "single"

    labels: tuple[str, ...]
    name: ClassVar[str] = "single"
    score: ClassVar[str] = "accuracy"
    form: ClassVar[str] = "label"
    column: ClassVar[str] = "label"
    screen: ClassVar[str | None] = "choice"

    @cached_property
    def answers(self) -> SingleAnswers:
        """Arithmetic on values: one part each, without a place."""
        return SingleAnswers(self.labels)

    @cached_property
    def rows(self) -> SingleRows:
        """Arithmetic on rows: one an item, which sums to 1."""
        return SingleRows(len(self.labels), self.labels)


@dataclass(frozen=True, slots=True)
class SingleAnswers:
    """Answers that are one label; see `hilt.tasks.base.Answers`."""

    labels: tuple[str, ...]

    def problem(self, value: Value, content: Content | None) -> str | None:
        """Refuse none, several, a place, and what is no label."""
        if len(value) != 1 or value[0].place:
            given = repr(in_words(value))
            return f"the answer is {given}; it must be exactly one label, without a place."
        label = value[0].label
        if label not in self.labels:
            return (
                f"{label[:60]!r} is not a label.{nearest(label[:60], self.labels)}"
                f" Labels: {label_listing(self.labels)}."
            )
        return None

    def resolve(self, values: Sequence[Value], weights: Floats | None = None) -> Value | None:
        """Take what most say, and of equals what was said last."""
        if len(values) == 1:
            return values[0]
        support: Counter[Value] = Counter()
        for value, weight in zip(
            values, np.ones(len(values)) if weights is None else weights, strict=True
        ):
            support[value] += weight
        most = max(support.values())
        return [value for value in values if support[value] == most][-1]

    def loss(self, said: Value, true: Value) -> float:
        """Give 0 for the same label, 1 for another."""
        return float(said != true)

    @property
    def categories(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels

    def ratings(self, value: Value, content: Content) -> list[str]:
        """Give the label."""
        return [value[0].label]

    def rated(self, ratings: Sequence[str], content: Content) -> Value:
        """Give the label."""
        return (Part(ratings[0]),)

    def transfer(self, value: Value, source: Content, target: Content) -> Value:
        """Give the same label."""
        return value

    def effort(self, value: Value, content: Content) -> float:
        """Give 0: there is one choice to make."""
        return 0.0

    def stratum(self, value: Value) -> str:
        """Give the label."""
        return value[0].label

    def corrupted(self, value: Value, content: Content, rng: np.random.Generator) -> Value:
        """Draw one of the other labels."""
        others = [label for label in self.labels if label != value[0].label]
        return (Part(others[int(rng.integers(len(others)))]),) if others else value


@dataclass(frozen=True, slots=True)
class SingleRows(CategoricalRows):
    """A row an item, whose columns are the labels; see `hilt.tasks.base.RowMath`."""

    labels: tuple[str, ...]

    @property
    def strata_names(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels

    def encode(self, values: Sequence[Value], contents: Sequence[Content]) -> Targets:
        """Turn labels into one-hot rows."""
        place = {label: position for position, label in enumerate(self.labels)}
        positions = [place[value[0].label] for value in values]
        return one_hot(np.array(positions), self.n_columns)

    def described(self) -> Targets:
        """Make each description an example of its label."""
        return one_hot(np.arange(self.n_columns), self.n_columns)

    def confusion(self, said: Rows, true: Rows) -> Integers:
        """Count labels."""
        counts = np.zeros((self.n_columns, self.n_columns), dtype=np.int64)
        np.add.at(counts, (true.values.argmax(axis=1), said.values.argmax(axis=1)), 1)
        return counts

    def decode(self, rows: Floats, content: Content) -> Value:
        """Give the likeliest label, the first of several equal ones."""
        return (Part(self.labels[int(rows[0].argmax())]),)

    def candidates(self, rows: Floats, content: Content, count: int) -> tuple[Candidate, ...]:
        """Give the likeliest labels."""
        order = np.argsort(-rows[0], kind="stable")[:count]
        return tuple(Candidate(Part(self.labels[place]), float(rows[0][place])) for place in order)
