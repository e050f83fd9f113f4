"""Where the per-item work runs, and how its results become an array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hilt.pipeline.workspace.arrays import Array, ArrayFile, Maker, PartialArray
from hilt.progress import Progress
from hilt.types import Integers

Chunk = tuple[int, int]
RowsOf = Callable[[int, int], Array]


class Runner(Protocol):
    """Maps a function over chunks of the pool: in this process, or on a cluster."""

    def map(
        self, function: RowsOf, source: Iterable[Chunk], sink: Callable[[int, Array], None]
    ) -> None:
        """Hand `sink` the rows of every chunk, in any order."""
        ...


class LocalRunner:
    """Runs the work in this process, one chunk after the other."""

    def map(
        self, function: RowsOf, source: Iterable[Chunk], sink: Callable[[int, Array], None]
    ) -> None:
        """Hand `sink` the rows of every chunk, in order."""
        for start, stop in source:
            sink(start, function(start, stop))


def is_made(file: ArrayFile, maker: Maker, progress: Progress) -> bool:
    """Tell whether this maker made the array, and all of it is as it was written.

    One that is damaged is said, and no longer counts as finished.
    """
    fault = file.find_fault()
    if fault is None and file.is_current(maker):
        fault = file.find_fault(thorough=True)
        if fault is None:
            file.trust()
            return True
    if fault is not None:
        progress.note(f"{fault}; it is made again.")
        file.discard()
    return False


def make_array(
    file: ArrayFile,
    shape: tuple[int, ...],
    maker: Maker,
    rows_of: RowsOf,
    *,
    description: str,
    progress: Progress,
    runner: Runner | None = None,
    chunk_rows: int | Integers = 2048,
    dtype: npt.DTypeLike = np.float16,
    measured: Mapping[str, Any] | None = None,
    old: Array | None = None,
) -> bool:
    """Make an array unless the same maker made it already.

    Args:
        file: Where it goes.
        shape: Of the whole, the rows first.
        maker: What decides its content; an equal one on disk means that nothing is to be done.
        rows_of: Gives rows start to stop.
        description: What the progress bar says.
        progress: Who looks.
        runner: Where the work runs; this process by default.
        chunk_rows: Rows that are made, and saved, at once; or where such chunks begin, ascending,
            and where the last one ends.
        dtype: Of the whole.
        measured: What to write down beside the maker.
        old: From `made_before`: the rows of the items that were there before others were
            appended; they are kept.

    Returns:
        Whether anything was made.
    """
    if is_made(file, maker, progress):
        return False
    if old is not None:
        rows_of = _after(old, rows_of)
    partial = PartialArray(file, shape, maker, chunk_rows, dtype)
    with progress.task(description, shape[0], "items") as advance:
        missing = list(partial.missing())
        advance(shape[0] - sum(stop - start for start, stop in missing))

        def sink(start: int, rows: Array) -> None:
            partial.write(start, rows)
            advance(len(rows))

        (runner or LocalRunner()).map(rows_of, missing, sink)
    partial.finish(measured)
    return True


def made_before(file: ArrayFile, before: Iterable[Maker]) -> Array | None:
    """Open the array on disk if one of these made it: the beginning of what is to be made.

    Args:
        file: Where it is.
        before: What its maker was before items were appended.
    """
    whole = any(file.is_current(maker) for maker in before) and not file.find_fault(thorough=True)
    return file.open() if whole else None


def _after(old: Array, rows_of: RowsOf) -> RowsOf:
    """Take the rows that are there already, and make those that come after them."""

    def rows(start: int, stop: int) -> Array:
        if stop <= len(old):
            return old[start:stop]
        if start >= len(old):
            return rows_of(start, stop)
        return np.concatenate([old[start:], rows_of(len(old), stop).astype(old.dtype)])

    return rows
