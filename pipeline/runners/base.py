"""The seam of this folder: where the work on each item runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hilt.registry import Registry
from hilt.types import Floats, Items

Sink = Callable[[int, Floats], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some items on their way to where they are worked on.

    Attributes:
        start: The number of the first of them, in the pool or in the file that they are from; no
            two chunks of one `map` have the same.
        items: All that the work reads: nothing is looked up where it runs.
    """

    start: int
    items: Items


class Work(Protocol):
    """What is done to every item: a small value that is pickled where it goes elsewhere."""

    @property
    def name(self) -> str:
        """What it is called in messages, such as `Embedding`."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Say what must be the same wherever it runs, such as the checksum of a model."""
        ...

    def open(self) -> Callable[[Items], Floats]:
        """Load what it needs, where it runs.

        Returns:
            What turns n items into an array of n rows.
        """
        ...


class Runner(Protocol):
    """Does the same work on chunk after chunk: in this process, or on other machines.

    It is built with the keys of its section of the configuration. Where something ran is not what
    made it: a runner enters no maker and no fingerprint.
    """

    def map(self, work: Work, chunks: Iterable[Chunk], sink: Sink) -> None:
        """Hand `sink` the rows of every chunk, in the order of the chunks.

        Args:
            work: What is done; it is opened once in each process that does it.
            chunks: Read as they are needed, so that few of them are in memory.
            sink: Called in this thread with a chunk's start and its rows.

        Raises:
            HiltError: If the work does.
        """
        ...


RUNNERS = Registry(
    "runner",
    {
        "local": "hilt.pipeline.runners.local:Local",
        "ray": "hilt.pipeline.runners.ray_runner:Ray",
    },
    methods=("map",),
)


def make_runner(kind: str, settings: Mapping[str, Any]) -> Runner:
    """Build a runner; it connects to nothing before its first work.

    Raises:
        ExtensionError: If it is a class of the user's own that cannot be built.
        MissingExtraError: If it needs a package that is not installed.
        UnknownNameError: If there is no such kind.
    """
    runner: Runner = RUNNERS.make(kind, f"Runner {kind!r}", settings)
    return runner
