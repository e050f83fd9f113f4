"""The work on each item, done in this process."""

from __future__ import annotations

from collections.abc import Iterable

from hilt.pipeline.runners.base import Chunk, Sink, Work


class Local:
    """Does one chunk after the other in this process."""

    def map(self, work: Work, chunks: Iterable[Chunk], sink: Sink) -> None:
        """Hand `sink` the rows of every chunk, in their order."""
        rows_of = work.open()
        for chunk in chunks:
            sink(chunk.start, rows_of(chunk.items))
