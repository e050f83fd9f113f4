"""A third party's task: ratings, of which some are further from each other than others.

An answer is one label of an ordered list. Its rows, its cells in files, its column in a release and
its part of the review screen are those of the task `single`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hilt.tasks.single import SingleAnswers, SingleRows
from hilt.types import Content, Floats, Part, Value

Settle = Literal["median", "nobody"]


@dataclass(frozen=True)
class Rating:
    """One of the labels, from the lowest to the highest.

    Attributes:
        settle: What people's different ratings come to: their median, or a question to somebody.
    """

    labels: tuple[str, ...]
    settle: Settle = "median"
    name: ClassVar[str] = "rating"
    layout: ClassVar[str] = "single"
    score: ClassVar[str] = "closeness"
    form: ClassVar[str] = "label"
    column: ClassVar[str] = "label"
    screen: ClassVar[str | None] = "choice"

    @property
    def answers(self) -> RatingAnswers:
        """Arithmetic on ratings."""
        return RatingAnswers(self.labels, self.settle)

    @property
    def rows(self) -> SingleRows:
        """A row of probabilities, one for each rating."""
        return SingleRows(len(self.labels), self.labels)


@dataclass(frozen=True, slots=True)
class RatingAnswers(SingleAnswers):
    """One label each, but nearer and further ones."""

    settle: Settle = "median"

    def resolve(self, values: Sequence[Value], weights: Floats | None = None) -> Value | None:
        """Take the median, the lower one of two."""
        if self.settle == "nobody" and len(set(values)) > 1:
            return None
        places = sorted(self.labels.index(value[0].label) for value in values)
        return self._at(places[(len(places) - 1) // 2])

    def loss(self, said: Value, true: Value) -> float:
        """Give the distance, as a share of the longest."""
        apart = self.labels.index(said[0].label) - self.labels.index(true[0].label)
        return abs(apart) / (len(self.labels) - 1)

    def corrupted(self, value: Value, content: Content, rng: np.random.Generator) -> Value:
        """Rate one higher or lower."""
        place = self.labels.index(value[0].label)
        near = [each for each in (place - 1, place + 1) if 0 <= each < len(self.labels)]
        return self._at(near[int(rng.integers(len(near)))])

    def _at(self, place: int) -> Value:
        return (Part(self.labels[place]),)
