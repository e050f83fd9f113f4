"""The items of a pool on their way through a runner, and their rows on the way into an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hilt.pipeline.pools.pool import Pool, Where
from hilt.pipeline.runners.base import Chunk, Runner, Work
from hilt.pipeline.workspace.array_making import Fill, Sink, Stretch
from hilt.pipeline.workspace.row_layout import RowLayout
from hilt.types import Floats, Integers, Items


def in_chunks(
    runner: Runner,
    work: Work,
    pool: Pool,
    embeddings: Floats | None = None,
    layout: RowLayout | None = None,
) -> Fill:
    """Have a runner do the work on all items of a pool.

    Args:
        runner: Where it is done.
        work: What is done.
        pool: The items.
        embeddings: Shape (n_items, d), where the work reads them.
        layout: How the rows of items lie in the array; one for each when None.
    """

    def fill(missing: Sequence[Stretch], sink: Sink) -> None:
        chunks = (
            Chunk(start, _read(pool, embeddings, _items(layout, start, stop)))
            for start, stop in missing
        )
        runner.map(work, chunks, sink)

    return fill


def in_asked_chunks(
    runner: Runner,
    work: Work,
    pool: Pool,
    embeddings: Floats | None = None,
    *,
    asked: Integers,
    layout: RowLayout,
) -> Fill:
    """Have a runner do the work on some items of a pool; the rows of the others are abstentions.

    Args:
        runner: Where it is done.
        work: What is done.
        pool: The items.
        embeddings: Shape (n_items, d), where the work reads them.
        asked: Ascending indices of the items that it is done on.
        layout: How the rows of items lie in the array.
    """
    offsets = np.arange(len(pool) + 1) if layout.offsets is None else layout.offsets

    def fill(missing: Sequence[Stretch], sink: Sink) -> None:
        stops = dict(missing)

        def asked_in(start: int) -> Integers:
            items = layout.items(start, stops[start])
            return np.asarray(asked[(asked >= items.start) & (asked < items.stop)])

        def chunks() -> Iterator[Chunk]:
            for start in stops:
                if len(indices := asked_in(start)):
                    yield Chunk(start, _read(pool, embeddings, indices))
                else:
                    spread(start, np.empty((0, layout.n_columns), dtype=np.float32))

        def spread(start: int, rows: Floats) -> None:
            whole = np.full((stops[start] - start, layout.n_columns), np.nan, dtype=np.float32)
            items = layout.items(start, stops[start])
            is_asked = np.isin(np.arange(items.start, items.stop), asked_in(start))
            counts = np.diff(offsets[items.start : items.stop + 1])
            whole[np.repeat(is_asked, counts)] = rows
            sink(start, whole)

        runner.map(work, chunks(), spread)

    return fill


def _items(layout: RowLayout | None, start: int, stop: int) -> slice:
    return slice(start, stop) if layout is None else layout.items(start, stop)


def _read(pool: Pool, embeddings: Floats | None, where: Where) -> Items:
    items = pool.items(where)
    return Items(items.ids, items.contents, None if embeddings is None else embeddings[where])
