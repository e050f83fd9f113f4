"""Which rows of an array are which items'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilt.types import Integers

CHUNK_ITEMS = 2048  # whose rows are made, and saved, at once


@dataclass(frozen=True, slots=True)
class RowLayout:
    """How what is said of n items lies in an array.

    Attributes:
        n_items: Of how many items.
        n_columns: Of a row.
        offsets: Shape (n_items + 1,), as those of `hilt.rows.Rows`; None for one row an item.
    """

    n_items: int
    n_columns: int
    offsets: Integers | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the array."""
        n_rows = self.n_items if self.offsets is None else int(self.offsets[-1])
        return n_rows, self.n_columns

    def chunks(self, n_items: int = CHUNK_ITEMS) -> int | Integers:
        """Say in what chunks of rows such an array is made, so that each holds whole items."""
        if self.offsets is None:
            return n_items
        return np.unique(np.append(self.offsets[::n_items], self.offsets[-1]))

    def items(self, start: int, stop: int) -> slice:
        """Find the items whose rows are those from start to stop, ends of items both."""
        if self.offsets is None:
            return slice(start, stop)
        first, last = np.searchsorted(self.offsets[:-1], [start, stop])
        return slice(int(first), int(last))

    def count(self, start: int, stop: int) -> int:
        """Count the items whose rows are those from start to stop; at the end all that are left."""
        items = self.items(start, stop)
        return int((self.n_items if stop == self.shape[0] else items.stop) - items.start)
