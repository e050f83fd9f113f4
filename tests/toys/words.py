"""A third party's task: mark the words that matter, each with one of the labels.

An answer has a part for every marked word, with the code points where it begins and ends. A row is
a distribution over "not marked" and the labels, one for every word of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from hilt.review.answers.base import WrongCellError
from hilt.tasks.base import Targets
from hilt.tasks.categorical import CategoricalRows, one_hot
from hilt.types import Candidate, Content, Floats, Integers, Part, Place, Value


def places(text: str) -> list[Place]:
    """Say where each word of a text begins and ends."""
    return [match.span() for match in re.finditer(r"\S+", text)]


@dataclass(frozen=True)
class Words:
    """Any number of words of a text, each with a label.

    Attributes:
        form: How answers stand in files: hilt's `json`, or `MarkForm`.
    """

    layout: ClassVar[str] = "words"
    name: ClassVar[str] = "words"
    score: ClassVar[str] = "F1 of words"
    column: ClassVar[str] = "json"
    screen: ClassVar[str | None] = None

    labels: tuple[str, ...]
    form: str = "json"

    @cached_property
    def answers(self) -> WordAnswers:
        """Arithmetic on values."""
        return WordAnswers(self.labels)

    @cached_property
    def rows(self) -> WordRows:
        """Arithmetic on rows."""
        return WordRows(1 + len(self.labels), self.labels)


@dataclass(frozen=True, slots=True)
class MarkForm:
    """Marks in one cell, such as `good 13-19, bad 24-29`; a dash where nothing is marked."""

    task: Words
    fields: ClassVar[tuple[str, ...]] = ("marks",)

    def write(self, value: Value) -> dict[str, str]:
        """Write each mark with where it begins and ends."""
        marks = [f"{part.label} {part.place[0]}-{part.place[1]}" for part in value]
        return {"marks": ", ".join(marks) or "-"}

    def read(self, cells: Mapping[str, str]) -> Value:
        """Read the marks back."""
        if cells["marks"] == "-":
            return ()
        return tuple(sorted(map(self._mark, cells["marks"].split(", "))))

    def _mark(self, written: str) -> Part:
        found = re.fullmatch(r"(.+) (\d+)-(\d+)", written)
        if found is None:
            raise WrongCellError(f"{written!r} is no mark, such as '{self.task.labels[0]} 0-4'.")
        return Part(found[1], (int(found[2]), int(found[3])))


@dataclass(frozen=True, slots=True)
class WordAnswers:
    """Answers that are marked words; none is an answer too."""

    labels: tuple[str, ...]

    def problem(self, value: Value, content: Content | None) -> str | None:
        """Refuse what is no label, and what is no word or marked twice."""
        strange = [part.label for part in value if part.label not in self.labels]
        if strange:
            return f"{strange[0]!r} is not a label."
        marked = [part.place for part in value]
        if len(set(marked)) < len(marked):
            return "a word is marked twice."
        there = marked if content is None else places(content)
        beside = [place for place in marked if place not in there]
        return f"{beside[0]} is not a word of the text." if beside else None

    def resolve(self, values: Sequence[Value], weights: Floats | None = None) -> Value | None:
        """Take the words that more than half mark alike."""
        shares = np.ones(len(values)) if weights is None else weights
        parts = sorted({part for value in values for part in value})
        support = [sum(w for v, w in zip(values, shares, strict=True) if p in v) for p in parts]
        return tuple(p for p, s in zip(parts, support, strict=True) if s > shares.sum() / 2)

    def loss(self, said: Value, true: Value) -> float:
        """Give 1 - F1 of the marked words."""
        both = len(set(said) & set(true))
        return 0.0 if said == true else 1 - 2 * both / (len(said) + len(true))

    @property
    def categories(self) -> tuple[str, ...]:
        """Nothing, or a label."""
        return ("", *self.labels)

    def ratings(self, value: Value, content: Content) -> list[str]:
        """Give for every word its label, or that it is not marked."""
        marked = {part.place: part.label for part in value}
        return [marked.get(place, "") for place in places(content)]

    def rated(self, ratings: Sequence[str], content: Content) -> Value:
        """Mark the words that have a label."""
        rated = zip(ratings, places(content), strict=True)
        return tuple(sorted(Part(label, place) for label, place in rated if label))

    def transfer(self, value: Value, source: Content, target: Content) -> Value | None:
        """Carry marks over to the same text alone."""
        return value if source == target else None

    def effort(self, value: Value, content: Content) -> float:
        """Give 3 for every marked word."""
        return 3.0 * len(value)

    def stratum(self, value: Value) -> str:
        """Give the first label that is marked."""
        return min((part.label for part in value), default="nothing marked")

    def corrupted(self, value: Value, content: Content, rng: np.random.Generator) -> Value:
        """Forget a mark, or make one."""
        if value:
            lost = int(rng.integers(len(value)))
            return value[:lost] + value[lost + 1 :]
        there = places(content)
        if not there:
            return value
        place = there[int(rng.integers(len(there)))]
        return (Part(self.labels[int(rng.integers(len(self.labels)))], place),)


@dataclass(frozen=True, slots=True)
class WordRows(CategoricalRows):
    """A row a word: the chance that it is not marked, and that it has each of the labels."""

    labels: tuple[str, ...]

    def offsets(self, contents: Sequence[Content]) -> Integers:
        """Count the words of each text."""
        return np.cumsum([0, *(len(places(content)) for content in contents)])

    @property
    def strata_names(self) -> tuple[str, ...]:
        """What most words are, or would be."""
        return ("nothing marked", *self.labels)

    def encode(self, values: Sequence[Value], contents: Sequence[Content]) -> Targets:
        """Turn marks into one-hot rows."""
        column = {label: 1 + position for position, label in enumerate(self.labels)}
        columns = []
        for value, content in zip(values, contents, strict=True):
            marked = {part.place: column[part.label] for part in value}
            columns += [marked.get(place, 0) for place in places(content)]
        return one_hot(np.array(columns), self.n_columns, self.offsets(contents))

    def decode(self, rows: Floats, content: Content) -> Value:
        """Mark the words of which a label is likeliest."""
        best = rows.argmax(axis=1)
        return tuple(
            sorted(
                Part(self.labels[column - 1], place)
                for column, place in zip(best.tolist(), places(content), strict=True)
                if column
            )
        )

    def candidates(self, rows: Floats, content: Content, count: int) -> tuple[Candidate, ...]:
        """Give the words that are likeliest to be marked, with their likeliest labels."""
        best = 1 + rows[:, 1:].argmax(axis=1)
        sure = rows[np.arange(len(rows)), best]
        order = np.argsort(-sure, kind="stable")[:count]
        there = places(content)
        return tuple(
            Candidate(Part(self.labels[best[row] - 1], there[row]), float(sure[row]))
            for row in order
        )
