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
        starts, counts = self.offsets[items], np.diff(self.offsets)[items]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        return Rows(self.values[np.repeat(starts, counts) + within], offsets)

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

    def means(self, of_rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Average by item what each row has: shape (n_items,); 0 for an item without rows."""
        if self.offsets is None:
            return of_rows
        return self.sums(of_rows) / np.maximum(np.diff(self.offsets), 1)
