"""The seam between the loop and the shape of an answer.

Everything that depends on that shape stands behind a `Task`: arithmetic on values, which is what
people say, and on rows, which is what models say. The rest of hilt never asks which task it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from hilt.registry import Registry
from hilt.rows import Rows
from hilt.types import Candidate, Content, Floats, Integers, Items, Value

Measure = Literal["margin", "least_confident", "entropy"]


@dataclass(frozen=True, slots=True)
class Targets:
    """What a student learns from, and what a measure compares with.

    Attributes:
        rows: Laid out as the task's rows: one-hot for what a person said, soft for self-training.
        weights: Shape (n_items,), how much each item counts; a person's answer counts 1.
    """

    rows: Rows
    weights: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, items: Integers) -> Targets:
        """Give those of some items, in their order."""
        return Targets(self.rows.take(items), self.weights[items])


class Answers(Protocol):
    """Arithmetic on values: what people say."""

    def problem(self, value: Value, content: Content | None) -> str | None:
        """Say in a sentence why this can be no answer about an item; None where it can.

        Args:
            value: The answer.
            content: Of the item; None where that is not known yet, and places cannot be checked.
        """
        ...

    def resolve(self, values: Sequence[Value], weights: Floats | None = None) -> Value | None:
        """Say what several reviewers' answers about an item come to.

        Args:
            values: At least one, in the order in which they were given.
            weights: Shape (n,), how much each reviewer counts; alike when None.

        Returns:
            The answer; None to let somebody settle it.
        """
        ...

    def loss(self, said: Value, true: Value) -> float:
        """Say how wrong an answer is: 0 for right, 1 for entirely wrong."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """What a rating can be."""
        ...

    def ratings(self, value: Value, content: Content) -> list[str]:
        """Split an answer into what reviewers can agree on, as many for every answer about an item.

        Coefficients of agreement compare these one by one, each a category.
        """
        ...

    def rated(self, ratings: Sequence[str], content: Content) -> Value:
        """Give the answer that such ratings make."""
        ...

    def transfer(self, value: Value, source: Content, target: Content) -> Value | None:
        """Carry an answer over to a near-duplicate; None where it cannot be."""
        ...

    def effort(self, value: Value, content: Content) -> float:
        """Say how much there is to do for an answer, beside reading the item; 0 for one choice."""
        ...

    def stratum(self, value: Value) -> str:
        """Name what the items of a bulk group share; folds are balanced by `RowMath.strata`."""
        ...

    def corrupted(self, value: Value, content: Content, rng: np.random.Generator) -> Value:
        """Make an error that a person could make: another answer that is possible."""
        ...


class RowMath(Protocol):
    """Arithmetic on rows: what models say. Pure numpy."""

    @property
    def n_columns(self) -> int:
        """How many numbers a row has."""
        ...

    def offsets(self, contents: Sequence[Content]) -> Integers | None:
        """Say where the rows of each item begin: shape (n_items + 1,); None for one row an item."""
        ...

    def checked(
        self,
        given: Any,  # noqa: ANN401 - anything may have been given
        items: Items,
        who: str,
        *,
        may_abstain: bool = True,
    ) -> Rows:
        """Make sure that what somebody says of items is laid out as rows of this task.

        Args:
            given: `Rows`, or their values alone.
            items: Of which it is said.
            who: Who gave it, for messages.
            may_abstain: Whether rows may be NaN throughout.

        Raises:
            ExtensionError: If it is anything else.
        """
        ...

    def encode(self, values: Sequence[Value], contents: Sequence[Content]) -> Targets:
        """Turn answers into what a student learns from, each with weight 1.

        A person is sure: in each of the rows' `units` one choice has 1, and all others 0.
        """
        ...

    def described(self) -> Targets | None:
        """Say what the descriptions of the labels are examples of, in their order; None of nothing.

        Where they are, a student learns from them too, so that no label is ever unknown to it.
        """
        ...

    def hardened(self, rows: Rows) -> Rows:
        """Make rows as sure as a person: laid out as `encode` lays out the likeliest answer."""
        ...

    def confusion(self, said: Rows, true: Rows) -> Integers | None:
        """Count which answer was given for which.

        Returns:
            Shape (n_labels, n_labels), true labels by said ones; None where answers are too many.
        """
        ...

    def decode(self, rows: Floats, content: Content) -> Value:
        """Give the likeliest answer about an item, from its rows."""
        ...

    def candidates(self, rows: Floats, content: Content, count: int) -> tuple[Candidate, ...]:
        """Give what is proposed for an item, the likeliest first: at most `count` choices."""
        ...

    def pool(self, said: Sequence[Rows], weights: Floats) -> Rows:
        """Combine what several say: a weighted product, renormalised; abstentions say nothing."""
        ...

    def tempered(self, rows: Rows, temperature: float) -> Rows:
        """Divide the logits by `temperature`: above 1 less sure, below 1 surer."""
        ...

    def units(self, rows: Rows) -> Rows:
        """Turn rows into categorical distributions, of which each row sums to 1."""
        ...

    def log_likelihood(self, rows: Rows, targets: Targets) -> Floats:
        """Say how likely the targets are found, item by item: shape (n_items,)."""
        ...

    def doubt(self, rows: Rows, measure: Measure) -> Floats:
        """Score how unsure each item is: shape (n_items,), in [0, 1]."""
        ...

    @property
    def strata_names(self) -> tuple[str, ...]:
        """What the strata are called, in the order of their numbers."""
        ...

    def strata(self, rows: Rows) -> Integers:
        """Number the kind of answer that is likeliest: shape (n_items,), for `balanced`."""
        ...

    def confidence(self, rows: Rows) -> Floats:
        """Say how sure the likeliest answer is: shape (n_items,), in [0, 1]."""
        ...


class Task(Protocol):
    """The shape of an answer. It is built with the labels, and its own settings."""

    @property
    def layout(self) -> str:
        """The name of the task whose rows it has.

        Its own, or that of another, whose proposers, selectors and students then serve it too.
        """
        ...

    @property
    def name(self) -> str:
        """What it is called in the configuration."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels, in their order."""
        ...

    @property
    def score(self) -> str:
        """What 1 less the mean loss of answers is called: `accuracy` where they are right or wrong.

        It stands in sentences and at the head of columns, so it is a short noun in lower case.
        """
        ...

    @property
    def answers(self) -> Answers:
        """Arithmetic on values."""
        ...

    @property
    def rows(self) -> RowMath:
        """Arithmetic on rows."""
        ...

    @property
    def form(self) -> str:
        """How an answer stands in a file.

        `label` (the name of one label), `json` (any answer), or a `package.module:Class` like
        `hilt.review.answers.base.AnswerForm`.
        """
        ...

    @property
    def column(self) -> str:
        """What holds the answers in a released dataset.

        `label` (the name of one label), `json` (any answer), or a `package.module:Class` like
        `hilt.pipeline.releasing.columns.base.AnswerColumn`.
        """
        ...

    @property
    def screen(self) -> str | None:
        """What of the review screen is the task's.

        `choice` (one of the labels); None where answers come by file.
        """
        ...


TASKS = Registry(
    "task",
    {"single": "hilt.tasks.single:Single"},
    methods=("name", "layout", "labels", "score", "answers", "rows", "form", "column", "screen"),
    given=("labels",),
)
