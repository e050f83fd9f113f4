"""How long the graph of nearest neighbours takes, what it finds, and what a kill costs.

    python scripts/benchmark_graph.py --items 1000000 --kills 2

The embeddings are synthetic: every item lies near one of many topics, drawn a little to another.
The graph is made twice in a process of its own, once at a stretch and once with kills, each after
`--seconds`; the two must be equal. Recall is that of the ten nearest of 500 items, compared with
all others.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.files import write_json
from hilt.pipeline.duplicates.neighbour_graph import make_graph
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Floats, Graph

CONFIG = "pool: {path: pool.csv, id: id}\nlabels: [a, b]\ndevice: cpu\n"
ITEMS_A_TOPIC = 40
TOPIC_DIMENSIONS = 64
SAMPLE = 500
NEAREST = 10


def lay_out(folder: Path, n_items: int, d: int) -> Workspace:
    """Make a workspace whose embeddings stand already."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with (folder / "pool.csv").open("w", encoding="utf-8") as file:
        file.write("id,text\n")
        file.writelines(f"{number},item {number}\n" for number in range(n_items))
    workspace = init(folder / "work", folder / "config.yaml")
    draw_embeddings(workspace.embeddings, n_items, d)
    return workspace


def draw_embeddings(file: ArrayFile, n_items: int, d: int) -> None:
    """Draw unit rows around topics that lie in fewer dimensions."""
    rng = np.random.default_rng(0)
    n_topics = max(2, n_items // ITEMS_A_TOPIC)
    topics = rng.normal(size=(n_topics, TOPIC_DIMENSIONS)).astype(np.float32)
    topics = unit(topics @ rng.normal(size=(TOPIC_DIMENSIONS, d)).astype(np.float32))
    shape = (n_items, d)
    rows = np.lib.format.open_memmap(file.path, mode="w+", dtype=np.float16, shape=shape)
    for block in blocks(n_items):
        size = block.stop - block.start
        one, other = rng.integers(n_topics, size=(2, size))
        noise = rng.normal(size=(size, d)).astype(np.float32) * 0.1 / np.sqrt(d)
        rows[block] = unit(topics[one] + 0.25 * topics[other] + noise)
    write_json(file.maker_path, {"synthetic": [n_items, d]})


def unit(rows: Floats) -> Floats:
    """Bring rows to length 1."""
    scaled: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def make(folder: Path, told: Any) -> None:  # noqa: ANN401 - a queue
    """Make the graph, and tell what it took."""
    started = time.monotonic()
    make_graph(open_workspace(folder))
    used = resource.getrusage(resource.RUSAGE_SELF)
    told.put(
        {
            "seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_memory_mb": round(used.ru_maxrss / 1024),
        }
    )


def run(folder: Path, kill_after: float | None = None) -> dict[str, Any]:
    """Make the graph in another process, which is killed after a while or ends by itself."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=make, args=(folder, told))
    process.start()
    process.join(kill_after)
    if process.is_alive():
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        return {"killed_after": kill_after}
    found: dict[str, Any] = told.get()
    return found


def take(workspace: Workspace) -> Graph:
    """Read the graph into memory and remove it."""
    files = workspace.neighbours, workspace.cosines
    graph = Graph(*(np.array(file.open()) for file in files))
    for file in files:
        file.maker_path.unlink()
    return graph


def recall(embeddings: Floats, graph: Graph) -> float:
    """Compare a sample with every item."""
    sample = np.sort(np.random.default_rng(1).choice(len(embeddings), SAMPLE, replace=False))
    rows = unit(embeddings[sample].astype(np.float32))
    best, places = np.full((SAMPLE, 0), 0.0), np.full((SAMPLE, 0), 0)
    for block in blocks(len(embeddings)):
        cosines = rows @ unit(embeddings[block].astype(np.float32)).T
        cosines[sample[:, None] == np.arange(block.start, block.stop)] = -2
        nearest = np.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]
        best = np.hstack([best, np.take_along_axis(cosines, nearest, axis=1)])
        places = np.hstack([places, nearest + block.start])
        order = np.argsort(-best, axis=1)[:, :NEAREST]
        best, places = (np.take_along_axis(each, order, axis=1) for each in (best, places))
    found = graph.neighbours[sample, :NEAREST]
    return float(np.mean([np.isin(*pair).mean() for pair in zip(places, found, strict=True)]))


def main() -> None:
    """Run it and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30.0, help="before each kill")
    parser.add_argument("--folder", type=Path, default=Path("hilt-graph"))
    arguments = parser.parse_args()

    workspace = lay_out(arguments.folder, arguments.items, arguments.dim)
    print(json.dumps({"at a stretch": run(workspace.folder)}), flush=True)
    measured = workspace.neighbours.measured()["recall"]
    whole = take(workspace)
    parts = [run(workspace.folder, arguments.seconds) for _ in range(arguments.kills)]
    print(json.dumps({"with kills": [*parts, run(workspace.folder)]}), flush=True)
    pieced = take(workspace)
    equal = np.array_equal(whole.neighbours, pieced.neighbours)
    true = recall(workspace.embeddings.open(), whole)
    print(json.dumps({"equal": equal, "recall": round(true, 4), "recall by lists": measured}))


if __name__ == "__main__":
    main()
