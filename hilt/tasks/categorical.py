"""Rows that are distributions over the columns: one an item, or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilt.distributions import checked_distributions, log_of, pool_logarithmically, softmax
from hilt.rows import Rows
from hilt.tasks.base import Measure, Targets
from hilt.types import Content, Floats, Integers, Items
from hilt.uncertainty import entropy, least_confident, margin

SCORES: Mapping[Measure, Callable[[Floats], Floats]] = {
    "margin": margin,
    "least_confident": least_confident,
    "entropy": entropy,
}


@dataclass(frozen=True, slots=True)
class CategoricalRows:
    """The part of `hilt.tasks.base.RowMath` that only needs rows to sum to 1.

    An item with several rows is as unsure as they are on average, and as likely as all of them
    together; one with none is not unsure at all.
    """

    n_columns: int

    def offsets(self, contents: Sequence[Content]) -> Integers | None:
        """Give None: every item has one row."""
        return None

    def checked(
        self,
        given: Any,  # noqa: ANN401 - anything may have been given
        items: Items,
        who: str,
        *,
        may_abstain: bool = True,
    ) -> Rows:
        """Make sure that every row is a distribution, or NaN throughout."""
        offsets = self.offsets(items.contents)
        values = given.values if isinstance(given, Rows) else given
        ids = items.ids if offsets is None else np.repeat(items.ids, np.diff(offsets)).tolist()
        checked = checked_distributions(values, ids, self.n_columns, who, may_abstain=may_abstain)
        return Rows(checked, offsets)

    def pool(self, said: Sequence[Rows], weights: Floats) -> Rows:
        """Combine what several say: a weighted product, renormalised."""
        pooled = pool_logarithmically([each.values for each in said], weights)
        return Rows(pooled, said[0].offsets)

    def tempered(self, rows: Rows, temperature: float) -> Rows:
        """Divide the logits by `temperature`."""
        return Rows(softmax(log_of(rows.values) / np.float32(temperature)), rows.offsets)

    def units(self, rows: Rows) -> Rows:
        """Give the rows themselves."""
        return Rows(rows.values, _offsets(rows))

    def log_likelihood(self, rows: Rows, targets: Targets) -> Floats:
        """Sum over an item's rows how likely the targets are found."""
        logs = (log_of(rows.values) * targets.rows.values).sum(axis=1)
        return rows.sums(logs)

    def doubt(self, rows: Rows, measure: Measure) -> Floats:
        """Average the doubt of an item's rows."""
        return rows.means(SCORES[measure](rows.values))

    def strata(self, rows: Rows) -> Integers:
        """Number the likeliest column, on average over an item's rows."""
        if rows.offsets is None:
            return np.asarray(rows.values.argmax(axis=1))
        sums = np.stack([rows.sums(column) for column in rows.values.T], axis=1)
        return np.asarray(sums.argmax(axis=1))

    def confidence(self, rows: Rows) -> Floats:
        """Multiply how sure an item's rows are of their likeliest columns."""
        surest: Floats = rows.values.max(axis=1, initial=0)
        return surest if rows.offsets is None else np.exp(rows.sums(np.log(surest)))


def one_hot(columns: Integers, n_columns: int, offsets: Integers | None = None) -> Targets:
    """Make targets of rows that are each certain of one column, and count 1.

    Args:
        columns: Shape (n_rows,), from 0.
        n_columns: How many there are.
        offsets: As those of `Rows`.
    """
    hot = np.eye(n_columns, dtype=np.float32)[np.asarray(columns, dtype=np.int64)]
    rows = Rows(hot, offsets)
    return Targets(rows, np.ones(len(rows), dtype=np.float32))


def _offsets(rows: Rows) -> Integers:
    return np.arange(len(rows.values) + 1) if rows.offsets is None else rows.offsets
