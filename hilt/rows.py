"""What models say of items: rows of numbers, laid out as the task says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class Rows:
    """What one proposer, the panel or a student says of some items.

    Attributes:
        values: Shape (n_rows, n_columns), laid out as the task says. An item of which all rows
            are NaN is one on which nothing is said.
        offsets: Shape (n_items + 1,), ascending from 0: the rows of item i are those from
            `offsets[i]` to `offsets[i + 1]`. None where every item has one row.
    """

    values: Floats
    offsets: Integers | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def of(self, item: int) -> Floats:
        """Give the rows of one item: shape (its rows, n_columns)."""
        if self.offsets is None:
            return self.values[item : item + 1]
        return self.values[self.offsets[item] : self.offsets[item + 1]]

    def take(self, items: Integers | Sequence[int] | slice) -> Rows:
        """Give the rows of some items, in their order."""
        if self.offsets is None:
            return Rows(self.values[items])
        items = np.arange(len(self))[items]
        offsets = np.append(0, np.cumsum(np.diff(self.offsets)[items]))
        return Rows(self.values[self.places(items)], offsets)

    def places(self, items: Integers) -> Integers:
        """Say which rows are those of some items, in their order: shape (their rows,)."""
        if self.offsets is None:
            return items
        starts, counts = self.offsets[items], np.diff(self.offsets)[items]
        before = np.cumsum(counts) - counts
        return np.asarray(np.arange(counts.sum()) + np.repeat(starts - before, counts))

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Whether something is said of each item: shape (n_items,)."""
        silent = np.isnan(self.values[:, 0])
        if self.offsets is None:
            return ~silent
        counts = np.diff(self.offsets)
        return np.asarray((self.sums(silent) < counts) | (counts == 0))

    def sums(self, of_rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Add up by item what each row has, shape (n_rows,): shape (n_items,)."""
        if self.offsets is None:
            return of_rows
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        return np.bincount(owner, weights=of_rows, minlength=len(self))

    def products(self, of_rows: Floats) -> Floats:
        """Multiply by item what each row has: shape (n_items,); 1 for an item without rows."""
        return of_rows if self.offsets is None else np.exp(self.sums(np.log(of_rows)))

    def means(self, of_rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Average by item what each row has: shape (n_items,); 0 for an item without rows."""
        if self.offsets is None:
            return of_rows
        return self.sums(of_rows) / np.maximum(np.diff(self.offsets), 1)


def joined(parts: Sequence[Rows]) -> Rows:
    """Put the rows of some items after those of others; at least one part."""
    values = np.concatenate([part.values for part in parts])
    if parts[0].offsets is None:
        return Rows(values)
    counts = [np.diff(part.offsets) for part in parts if part.offsets is not None]
    return Rows(values, np.append(0, np.cumsum(np.concatenate(counts))))
