"""Rows of a pool, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator


def blocks(n_rows: int, size: int = 65536) -> Iterator[slice]:
    """Yield slices that cover `n_rows` rows, so that no pass copies a whole pool."""
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
