"""A made-up pool to time selectors on, as large as one likes, in memory-mapped files.

Embeddings are 200 clusters of skewed sizes, unit length, float16; a cluster's label is its number
modulo the number of labels. The committee is three nearest-class-mean classifiers, each on a random
half of the labelled items; the fused proposal is their mean. Every file is made once.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilt.errors import DataError
from hilt.rows import Rows
from hilt.selectors.arithmetic.neighbours import build_graph, nearest_among
from hilt.tasks.single import Single
from hilt.types import Floats, Graph, Integers, SelectionView

CLUSTERS = 200
SKEW = 0.8  # the size of cluster i is proportional to (i + 1)^-SKEW
NOISE = 0.9  # of each coordinate, where those of the centres are standard normal
MEMBERS = 3
TEMPERATURE = 0.05  # of the classifiers' softmax over cosines
BLOCK = 65_536  # rows made at one time
LOOKED_AT = 20_000  # items whose distance to the nearest pick is measured
SPARE = 2**30  # bytes that stay free on the disk


@dataclass(frozen=True, slots=True)
class Pool:
    """What decides a pool; the same values are the same pool."""

    items: int
    dim: int
    labelled: int
    labels: int

    def folder(self, work: Path) -> Path:
        """Where the embeddings and what belongs to them alone are kept."""
        return work / f"pool-{self.items}-{self.dim}"

    def proposals(self, work: Path) -> Path:
        """Where the labelled items and the proposals are kept."""
        return self.folder(work) / f"labelled-{self.labelled}-of-{self.labels}"


def make_pool(pool: Pool, work: Path, neighbours: int) -> None:
    """Write whatever files of a pool are missing.

    Args:
        pool: What to make.
        work: The folder that holds every pool.
        neighbours: Of each item in the graph; 0 for no graph.

    Raises:
        DataError: If the disk is too small.
    """
    _check_space(pool, work, neighbours)
    folder = pool.folder(work)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "clusters.npy").exists():
        _write_embeddings(pool, folder)
    if not (pool.proposals(work) / "fused.npy").exists():
        _write_proposals(pool, folder, pool.proposals(work))
    if neighbours and not _graph_file(folder, neighbours, "json").exists():
        _write_graph(folder, neighbours)


def open_pool(pool: Pool, work: Path, neighbours: int) -> SelectionView:
    """Open a pool that was made; all large arrays are memory-mapped."""
    folder, proposals = pool.folder(work), pool.proposals(work)
    labelled = np.load(proposals / "labelled.npy")
    members = np.load(proposals / "members.npy", mmap_mode="r")
    graph = None
    if neighbours:
        graph = Graph(
            np.load(_graph_file(folder, neighbours, "neighbours.npy"), mmap_mode="r"),
            np.load(_graph_file(folder, neighbours, "cosines.npy"), mmap_mode="r"),
        )
    return SelectionView(
        embeddings=np.load(folder / "embeddings.npy", mmap_mode="r"),
        proposal=Rows(np.load(proposals / "fused.npy", mmap_mode="r")),
        task=Single(tuple(map(str, range(pool.labels)))),
        candidates=np.setdiff1d(np.arange(pool.items), labelled),
        labelled=labelled,
        labels=read_clusters(pool, work)[labelled] % pool.labels,
        groups=np.arange(pool.items),
        seconds=np.load(folder / "seconds.npy", mmap_mode="r"),
        committee=lambda indices: tuple(map(Rows, members[:, indices])),
        graph=graph,
    )


def read_clusters(pool: Pool, work: Path) -> Integers:
    """Read which cluster every item is from, shape (n_items,)."""
    clusters: Integers = np.load(pool.folder(work) / "clusters.npy")
    return clusters


def coverage_radius(view: SelectionView, picked: Integers) -> float:
    """Measure the largest distance of an item to the nearest that is labelled or picked.

    Of a pool of more than 20,000 items, the same 20,000 are looked at every time.
    """
    n_items = len(view.embeddings)
    looked_at = np.random.default_rng(0).permutation(n_items)[:LOOKED_AT]
    known = np.append(view.labelled, picked)
    _, cosines = nearest_among(view.embeddings, np.sort(looked_at), known, 1)
    return round(float(np.sqrt(np.maximum(2 - 2 * cosines, 0)).max()), 4)


def graph_seconds(pool: Pool, work: Path, neighbours: int) -> float | None:
    """Say how long it took to make the graph."""
    if not neighbours:
        return None
    described = _graph_file(pool.folder(work), neighbours, "json").read_text(encoding="utf-8")
    return float(json.loads(described)["seconds"])


def _check_space(pool: Pool, work: Path, neighbours: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    wanted = {
        pool.folder(work): pool.items * pool.dim * 2,
        pool.proposals(work): pool.items * pool.labels * 2 * (MEMBERS + 1),
        _graph_file(pool.folder(work), neighbours, "json"): pool.items * neighbours * 8,
    }
    needed = sum(size for path, size in wanted.items() if not path.exists())
    free = shutil.disk_usage(work).free - SPARE
    if needed > free:
        raise DataError(
            f"The pool needs {needed / 1e9:.1f} GB in {work} and {free / 1e9:.1f} GB are free;"
            " ask for fewer items, or set --work to a larger disk."
        )


def _write_embeddings(pool: Pool, folder: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, pool.dim), dtype=np.float32)
    sizes = np.arange(1, CLUSTERS + 1) ** -SKEW
    clusters = rng.choice(CLUSTERS, pool.items, p=sizes / sizes.sum()).astype(np.int16)
    with _written(folder / "embeddings.npy", (pool.items, pool.dim)) as embeddings:
        for where in _blocks(pool.items):
            rows = centres[clusters[where]]
            rows += NOISE * rng.standard_normal(rows.shape, dtype=np.float32)
            embeddings[where] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(folder / "seconds.npy", rng.lognormal(2.5, 0.6, pool.items).astype(np.float32))
    np.save(folder / "clusters.npy", clusters)


def _write_proposals(pool: Pool, folder: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    embeddings = np.load(folder / "embeddings.npy", mmap_mode="r")
    labelled = np.sort(rng.choice(pool.items, pool.labelled, replace=False))
    labels = np.load(folder / "clusters.npy")[labelled] % pool.labels
    halves = [rng.random(pool.labelled) < 0.5 for _ in range(MEMBERS)]
    means = np.stack(
        [_class_means(embeddings[labelled[half]], labels[half], pool.labels) for half in halves]
    )  # (members, n_labels, d)
    shape = (pool.items, pool.labels)
    with (
        _written(out / "members.npy", (MEMBERS, *shape)) as members,
        _written(out / "fused.npy", shape) as fused,
    ):
        for where in _blocks(pool.items):
            said = _softmax(embeddings[where].astype(np.float32) @ means.transpose(0, 2, 1))
            members[:, where] = said
            fused[where] = said.mean(axis=0)
    np.save(out / "labelled.npy", labelled)


def _class_means(rows: Floats, labels: Integers, n_labels: int) -> Floats:
    """Give the mean direction of every label, zeros for one without a row."""
    means = np.zeros((n_labels, rows.shape[1]), dtype=np.float32)
    np.add.at(means, labels, rows.astype(np.float32))
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, 1e-9), dtype=np.float32)


def _softmax(cosines: Floats) -> Floats:
    powers = np.exp((cosines - cosines.max(axis=-1, keepdims=True)) / TEMPERATURE)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _write_graph(folder: Path, neighbours: int) -> None:
    embeddings = np.load(folder / "embeddings.npy", mmap_mode="r")
    start = time.perf_counter()
    graph = build_graph(embeddings, neighbours, np.random.default_rng(0))
    seconds = round(time.perf_counter() - start, 2)
    np.save(_graph_file(folder, neighbours, "neighbours.npy"), graph.neighbours)
    np.save(_graph_file(folder, neighbours, "cosines.npy"), graph.cosines)
    _graph_file(folder, neighbours, "json").write_text(json.dumps({"seconds": seconds}))


def _graph_file(folder: Path, neighbours: int, what: str) -> Path:
    return folder / f"graph-{neighbours}.{what}"


@contextmanager
def _written(path: Path, shape: tuple[int, ...]) -> Iterator[Floats]:
    """Open a float16 array to write in; it gets its name once it is whole."""
    unfinished = path.with_suffix(".part")
    array = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float16, shape=shape)
    yield array
    array.flush()
    unfinished.replace(path)


def _blocks(length: int) -> Iterator[slice]:
    for start in range(0, length, BLOCK):
        yield slice(start, min(start + BLOCK, length))
