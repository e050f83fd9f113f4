"""Items per second that a runner hands out and takes back, for work that does nothing.

    python scripts/benchmark_runner.py --runner ray --chunks 200

More cores or graphics cards than that many items keep busy gain nothing. The time that workers need
to start is told apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hilt.pipeline.runners.base import RUNNERS, Chunk, make_runner
from hilt.types import Floats, Items

CHUNK_ITEMS = 2048


@dataclass(frozen=True, slots=True)
class Nothing:
    """Gives every item the same vector."""

    dimension: int
    name: str = "Nothing"

    def identity(self) -> Mapping[str, str]:
        """Nothing need be the same elsewhere."""
        return {}

    def open(self) -> Callable[[Items], Floats]:
        """Give zeros: shape (n, dimension)."""
        return lambda items: np.zeros((len(items), self.dimension), dtype=np.float32)


def make_chunks(count: int, characters: int) -> Iterator[Chunk]:
    """Make chunks of texts that are all different."""
    filler = "x" * (characters - 10)
    for start in range(0, count * CHUNK_ITEMS, CHUNK_ITEMS):
        ids = [str(start + place) for place in range(CHUNK_ITEMS)]
        yield Chunk(start, Items(ids, [f"{each:>10}{filler}" for each in ids]))


def main() -> None:
    """Time one run and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runner", default="ray", choices=RUNNERS.names())
    parser.add_argument("--chunks", type=int, default=200, help="of 2,048 items each")
    parser.add_argument("--characters", type=int, default=250, help="in each text")
    parser.add_argument("--dimension", type=int, default=384, help="numbers in each vector")
    parser.add_argument("--address", help="of a cluster; unset: one of this machine")
    parser.add_argument("--workers", type=int, help="of a cluster; unset: as many as fit")
    arguments = parser.parse_args()
    wanted = {"address": arguments.address, "workers": arguments.workers}
    settings = {name: value for name, value in wanted.items() if value is not None}
    runner = make_runner(arguments.runner, settings)
    times: list[float] = [time.perf_counter()]

    def sink(_start: int, rows: Floats) -> None:
        rows.astype(np.float16)
        times.append(time.perf_counter())

    chunks = make_chunks(arguments.chunks, arguments.characters)
    runner.map(Nothing(arguments.dimension), chunks, sink)
    rate = (len(times) - 2) * CHUNK_ITEMS / (times[-1] - times[1])
    print(f"{rate:,.0f} items a second, after {times[1] - times[0]:.1f} seconds to the first chunk")


if __name__ == "__main__":
    main()
