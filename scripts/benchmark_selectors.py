"""Time and memory of one selection by every selector, on a made-up pool of any size.

The pool (`scripts/selector_pool.py`) is written once: float16 embeddings and proposals that every
selector reads as memory-mapped files, and the graph of nearest neighbours, whose seconds are
recorded when it is made. Each selector runs in a process of its own, with pool, graph and its
modules open before the clock starts and the embeddings read once, so that the disk plays no part.

peak_memory_mb is the growth of the process's anonymous memory (RssAnon in /proc/self/status,
looked up every 5 ms) between the start of the selection and its highest point. Pages of the
memory-mapped files are not in it: the system takes those back whenever it needs the room. What is
held for less than 5 ms may be missed. Where there is no /proc, it is the growth of the peak
resident size, which counts those pages, and so too high.

coverage_radius is the largest distance of an item, of 20,000 at most, to the nearest that is
labelled or picked; clusters_hit says from how many of the 200 clusters items were picked.

A pool of 10 million items of 384 dimensions takes 7.7 GB, and its graph hours: ask for
`--neighbours 0`, unless a selector that needs the graph is to be timed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

import numpy as np
from rich.console import Console
from rich.table import Table

from hilt.errors import HiltError
from hilt.selectors.base import SELECTORS, make_selector
from hilt.types import Integers
from scripts.selector_pool import (
    Pool,
    coverage_radius,
    graph_seconds,
    make_pool,
    open_pool,
    read_clusters,
)

WORK = Path(tempfile.gettempdir()) / "hilt-selectors"
STATUS = Path("/proc/self/status")
LOOK_EVERY_SECONDS = 0.005
READ_AT_ONCE = 65_536  # rows

Result = dict[str, Any]


def measure(kind: str, pool: Pool, work: Path, neighbours: int, batch: int) -> Result:
    """Select once in this process.

    Returns:
        A row of the result; where the selector refuses, `refused` says why.
    """
    view = open_pool(pool, work, neighbours)
    selector, rng = make_selector({"kind": kind}), np.random.default_rng(0)
    for start in range(0, pool.items, READ_AT_ONCE):
        view.embeddings[start : start + READ_AT_ONCE].max()
    row: Result = {"selector": kind, "items": pool.items}
    refused = None
    picked: Integers = np.empty(0, dtype=np.int64)
    with peak_memory() as memory:
        started, started_cpu = time.perf_counter(), time.process_time()
        try:
            picked = selector.select(view, batch, rng).indices
        except HiltError as error:
            refused = str(error)
        row["wall_seconds"] = round(time.perf_counter() - started, 3)
        row["cpu_seconds"] = round(time.process_time() - started_cpu, 3)
    row["peak_memory_mb"] = round(memory["grown"])
    row["graph_seconds"] = graph_seconds(pool, work, neighbours)
    row["coverage_radius"] = coverage_radius(view, picked) if len(picked) else None
    row["clusters_hit"] = len(np.unique(read_clusters(pool, work)[picked]))
    return {**row, "picked": len(picked), "refused": refused}


@contextmanager
def peak_memory() -> Iterator[Mapping[str, float]]:
    """Watch this process's memory from a thread; `grown` is in MB, once it is over."""
    before = anonymous_mb()
    result = {"grown": 0.0}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_SECONDS):
            result["grown"] = max(result["grown"], anonymous_mb() - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield result
    finally:
        over.set()
        thread.join()


def anonymous_mb() -> float:
    """Say how much memory of its own this process has, in MB."""
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    kilobytes = 1024 if sys.platform == "darwin" else 1  # of what `ru_maxrss` counts
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kilobytes / 1024


def benchmark(arguments: argparse.Namespace) -> list[Result]:
    """Make the pool, and run every selector in a process of its own."""
    pool = Pool(arguments.items, arguments.dim, arguments.labelled, arguments.labels)
    work = arguments.work.resolve()
    make_pool(pool, work, arguments.neighbours)
    rows = []
    for kind in arguments.selectors or SELECTORS.names():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            started = process.submit(
                measure, kind, pool, work, arguments.neighbours, arguments.batch
            )
            rows.append(started.result())
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def as_table(rows: Sequence[Result]) -> Table:
    """Lay the rows out for a terminal."""
    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    return table


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--batch", type=int, default=100, help="how many are picked")
    parser.add_argument("--labelled", type=int, default=100, help="how many have a label")
    parser.add_argument("--labels", type=int, default=20, help="how many labels there are")
    parser.add_argument(
        "--selectors",
        type=lambda text: text.split(","),
        help="names, with commas; every registered one when not given",
    )
    parser.add_argument("--neighbours", type=int, default=10, help="in the graph; 0 for no graph")
    parser.add_argument("--work", type=Path, default=WORK, help="the folder of the pools")
    parser.add_argument(
        "--json", nargs="?", const="-", help="print JSON, or write it to a file that is named"
    )
    return parser.parse_args()


def main() -> None:
    """Run the benchmark, and print a table or JSON."""
    arguments = parse_arguments()
    try:
        rows = benchmark(arguments)
    except HiltError as error:
        sys.exit(str(error))
    if arguments.json is None:
        Console().print(as_table(rows))
    elif arguments.json == "-":
        print(json.dumps(rows, indent=2))
    else:
        Path(arguments.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
