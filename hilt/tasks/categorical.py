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

    def described(self) -> Targets | None:
        """Give None: a description alone is no example of a row."""
        return None

    def hardened(self, rows: Rows) -> Rows:
        """Give all to the likeliest column, the first of several equal ones."""
        return one_hot(rows.values.argmax(axis=1), self.n_columns, rows.offsets).rows

    def confusion(self, said: Rows, true: Rows) -> Integers | None:
        """Give None: an item may have many rows."""
        return None

    def pool(self, said: Sequence[Rows], weights: Floats) -> Rows:
        """Combine what several say: a weighted product, renormalised."""
        pooled = pool_logarithmically([each.values for each in said], weights)
        return Rows(pooled, said[0].offsets)

    def tempered(self, rows: Rows, temperature: float) -> Rows:
        """Divide the logits by `temperature`."""
        return Rows(softmax(log_of(rows.values) / np.float32(temperature)), rows.offsets)

    def units(self, rows: Rows) -> Rows:
        """Give the rows themselves."""
        return rows

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
        return rows.products(rows.values.max(axis=1, initial=0))


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
