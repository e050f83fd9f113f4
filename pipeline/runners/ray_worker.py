"""What runs on the nodes of a Ray cluster: a process that does one chunk after the other."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping

from hilt.pipeline.runners.base import Chunk, Work
from hilt.types import Floats, Items


class Worker:
    """Does chunks, in a process of its own.

    Args:
        threads: How many the work uses: other numbers can come to other bits.
    """

    def __init__(self, threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # for the libraries that are loaded later
        self._threads = threads
        self._rows_of: Callable[[Items], Floats] | None = None

    def greet(self) -> str:
        """Say the name of its machine."""
        return platform.node()

    def open(self, work: Work) -> Mapping[str, str]:
        """Load what the work needs, and say which models those are."""
        import torch  # which takes no more threads than it sees cores, unless it is told to

        torch.set_num_threads(self._threads)
        self._rows_of = work.open()
        return dict(work.identity())

    def rows(self, chunk: Chunk) -> Floats:
        """Do a chunk."""
        assert self._rows_of is not None
        return self._rows_of(chunk.items)
