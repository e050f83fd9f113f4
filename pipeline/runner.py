"""Where the per-item work runs, and how its results become an array."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from hilt.pipeline.arrays import ArrayFile, Maker, PartialArray
from hilt.progress import Progress
from hilt.types import Floats

Chunk = tuple[int, int]
RowsOf = Callable[[int, int], Floats]


class Runner(Protocol):
    """Maps a function over chunks of the pool: in this process, or on a cluster."""

    def map(
        self, function: RowsOf, source: Iterable[Chunk], sink: Callable[[int, Floats], None]
    ) -> None:
        """Hand `sink` the rows of every chunk, in any order."""
        ...


class LocalRunner:
    """Runs the work in this process, one chunk after the other."""

    def map(
        self, function: RowsOf, source: Iterable[Chunk], sink: Callable[[int, Floats], None]
    ) -> None:
        """Hand `sink` the rows of every chunk, in order."""
        for start, stop in source:
            sink(start, function(start, stop))


def make_array(
    file: ArrayFile,
    shape: tuple[int, int],
    maker: Maker,
    rows_of: RowsOf,
    *,
    description: str,
    progress: Progress,
    runner: Runner | None = None,
    chunk_rows: int = 2048,
) -> bool:
    """Make an array unless the same maker made it already.

    Args:
        file: Where it goes.
        shape: Rows and columns.
        maker: What decides its content; an equal one on disk means that nothing is to be done.
        rows_of: Gives rows start to stop.
        description: What the progress bar says.
        progress: Who looks.
        runner: Where the work runs; this process by default.
        chunk_rows: Rows that are made, and saved, at once.

    Returns:
        Whether anything was made.
    """
    if file.is_current(maker):
        return False
    partial = PartialArray(file, shape, maker, chunk_rows)
    with progress.task(description, shape[0], "items") as advance:
        missing = list(partial.missing())
        advance(shape[0] - sum(stop - start for start, stop in missing))

        def sink(start: int, rows: Floats) -> None:
            partial.write(start, rows)
            advance(len(rows))

        (runner or LocalRunner()).map(rows_of, missing, sink)
    partial.finish()
    return True
