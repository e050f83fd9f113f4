"""Nearest neighbours by FAISS: the one place where every item is compared with many others.

Small pools are compared whole. Larger ones are cut into lists by k-means, and the items of a list
are compared with those of the nearest lists, all of them in one matrix product: for a graph of a
whole pool that takes a sixth of the time of searching an inverted file item by item, and finds the
same. How many lists are needed is measured on a sample before the work begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import faiss
import numpy as np

from hilt.selectors.clustering import centroids
from hilt.selectors.rows import unit_rows
from hilt.selectors.threads import one_thread
from hilt.types import Floats, Graph, Integers

WHOLE = 20_000  # items up to which every one is compared with every other
BLOCK = 8192  # rows that are float32 at one time
LEARN_FROM = 64  # rows per list that k-means learns from
ROUNDS = 10  # of k-means; more hardly moves the lists
CHECKED = 256  # items whose true neighbours say how many lists are needed
CHECKED_NEIGHBOURS = 10
RECALL = 0.95  # wanted of those, on average
SMALL = 100_000_000  # multiplications that one thread does before a second one is ready
MOST_COMPARED = 0.05  # share of all pairs; beyond that the recall is what it is


@dataclass(frozen=True, slots=True)
class Lists:
    """Items cut into lists, and which of the lists are compared with each other.

    Attributes:
        order: Shape (n_items,), their indices, list by list.
        starts: Shape (n_lists + 1,), where each list begins in `order`.
        near: Shape (n_lists, n_near), for each list those that it is compared with, itself first.
        recall: Share of the ten nearest neighbours that lie in those, measured on a sample.
    """

    order: Integers
    starts: Integers
    near: Integers
    recall: float

    def __len__(self) -> int:
        return len(self.starts) - 1

    def members(self, number: int) -> Integers:
        """Give the indices of one list's items."""
        return self.order[self.starts[number] : self.starts[number + 1]]


def cut_into_lists(embeddings: Floats, indices: Integers, rng: np.random.Generator) -> Lists:
    """Decide which items are compared with which.

    Args:
        embeddings: Shape (n_items, d), float16 or float32, unit rows; may be memory-mapped.
        indices: Shape (m,), ascending: which items take part.
        rng: The only source of chance.

    Returns:
        One list for a few items; else about as many as the root of their number.
        O(m^1.5 * d) time, O(m + n_lists^2) memory.
    """
    centres = list_centres(embeddings, indices, rng)
    owner = nearest_centres(embeddings, indices, centres)
    return arrange_lists(embeddings, indices, owner, centres, rng)


def count_lists(n_items: int) -> int:
    """Say into how many lists items should be cut: one while they can be compared whole."""
    return 1 if n_items <= WHOLE else round(n_items**0.5)


def list_centres(embeddings: Floats, indices: Integers, rng: np.random.Generator) -> Floats:
    """Find the centres of as many lists as some items should be cut into.

    Returns:
        Shape (n_lists, d), float32, unit rows; for a single list just any row.
    """
    n_lists = count_lists(len(indices))
    if n_lists == 1:
        return unit_rows(embeddings, indices[:1])
    drawn = rng.choice(len(indices), min(len(indices), LEARN_FROM * n_lists), replace=False)
    seed = int(rng.integers(2**31))
    sample = indices[np.sort(drawn)]
    return centroids(unit_rows(embeddings, sample), n_lists, seed, rounds=ROUNDS)


def nearest_centres(embeddings: Floats, indices: Integers, centres: Floats) -> Integers:
    """Find the nearest centre of some items: shape (m,), int32."""
    owner = np.empty(len(indices), dtype=np.int32)
    for where in _blocks(len(indices)):
        owner[where] = _search(unit_rows(embeddings, indices[where]), centres, 1)[1][:, 0]
    return owner


def arrange_lists(
    embeddings: Floats,
    indices: Integers,
    owner: Integers,
    centres: Floats,
    rng: np.random.Generator,
) -> Lists:
    """Decide which lists are compared with each other, once it is known what is in which.

    Args:
        embeddings: Shape (n_items, d).
        indices: Shape (m,), ascending: which items take part.
        owner: Shape (m,), each one's list.
        centres: Shape (n_lists, d), from `list_centres`.
        rng: Draws the items on which the recall is measured.
    """
    n_lists = len(centres)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(n_lists + 1))
    if n_lists == 1:
        return Lists(indices[order], starts, np.zeros((1, 1), np.int64), 1.0)
    cosines = centres @ centres.T
    np.fill_diagonal(cosines, 2)  # itself first
    near = np.argsort(-cosines, axis=1, kind="stable")
    checked = np.sort(rng.choice(len(indices), CHECKED, replace=False))
    neighbours = _true_neighbours(embeddings, indices, checked)
    n_near, recall = _lists_needed(owner, near, checked, neighbours)
    return Lists(indices[order], starts, near[:, :n_near], recall)


def search_list(
    embeddings: Floats, lists: Lists, number: int, k: int
) -> tuple[Integers, Integers, Floats]:
    """Find the nearest neighbours of one list's items.

    Args:
        embeddings: Shape (n_items, d).
        lists: From `cut_into_lists`, for the same embeddings.
        number: Which list.
        k: How many neighbours of each item.

    Returns:
        The list's indices, shape (m,); their neighbours' indices, shape (m, k), nearest first,
        never the item itself, -1 where there are fewer; and the cosines to them, -1 there.
    """
    members = lists.members(number)
    others = np.concatenate([lists.members(other) for other in lists.near[number]])
    return members, *_nearest_others(embeddings, members, others, k)


def build_graph(embeddings: Floats, k: int, rng: np.random.Generator) -> Graph:
    """Find the nearest neighbours of every item, in memory.

    Args:
        embeddings: Shape (n_items, d), float16 or float32, unit rows; may be memory-mapped.
        k: How many neighbours of each item.
        rng: The only source of chance.

    Raises:
        DataError: If a row holds NaN or infinity.
    """
    lists = cut_into_lists(embeddings, np.arange(len(embeddings)), rng)
    neighbours = np.full((len(embeddings), k), -1, dtype=np.int32)
    cosines = np.full((len(embeddings), k), -1, dtype=np.float32)
    for number in range(len(lists)):
        members, found, near = search_list(embeddings, lists, number, k)
        neighbours[members], cosines[members] = found, near
    return Graph(neighbours, cosines)


def nearest_among(
    embeddings: Floats, indices: Integers, among: Integers, k: int
) -> tuple[Integers, Floats]:
    """Find which of some items are nearest to each of others, exactly.

    Args:
        embeddings: Shape (n_items, d).
        indices: Shape (m,), for which items.
        among: Shape (n,), at least one: from which items.
        k: How many.

    Returns:
        Places in `among` and cosines, both of shape (m, min(k, n)), nearest first.
        O(m * n * d) time, O(block * d) memory.
    """
    k = min(k, len(among))
    places = np.empty((len(indices), k), dtype=np.int64)
    cosines = np.empty((len(indices), k), dtype=np.float32)
    few = unit_rows(embeddings, among) if len(among) <= BLOCK else None  # read once
    for where in _blocks(len(indices)):
        rows = unit_rows(embeddings, indices[where])
        best = faiss.ResultHeap(len(rows), k, keep_max=True)
        for part in _blocks(len(among)):
            base = unit_rows(embeddings, among[part]) if few is None else few
            found, near = _search(rows, base, min(k, len(base)))
            best.add_result(found, near + part.start)
        best.finalize()
        cosines[where], places[where] = best.D, best.I
    return places, cosines


def _nearest_others(
    embeddings: Floats, members: Integers, others: Integers, k: int
) -> tuple[Integers, Floats]:
    base = unit_rows(embeddings, others)
    neighbours = np.full((len(members), k), -1, dtype=np.int32)
    near = np.full((len(members), k), -1, dtype=np.float32)
    for where in _blocks(len(members)):
        rows = unit_rows(embeddings, members[where])
        cosines, places = _search(rows, base, min(k + 1, len(others)))
        found = others[places]
        itself = found == members[where, None]
        itself[~itself.any(axis=1), -1] = True  # more than k others are the same as it
        kept = (len(rows), found.shape[1] - 1)
        neighbours[where, : kept[1]] = found[~itself].reshape(kept)
        near[where, : kept[1]] = cosines[~itself].reshape(kept)
    return neighbours, near


def _lists_needed(
    owner: Integers, near: Integers, checked: Integers, neighbours: Integers
) -> tuple[int, float]:
    """Find how many near lists hold enough of the checked items' true neighbours.

    Returns:
        That number, and the share of the neighbours that they hold.
    """
    sizes = np.bincount(owner, minlength=len(near))
    rank = np.empty(near.shape, dtype=np.int32)  # of each list as seen from each other
    np.put_along_axis(rank, near, np.arange(near.shape[1], dtype=np.int32)[None], axis=1)
    needed = rank[owner[checked, None], owner[neighbours]]  # (checked, 10)
    compared = np.cumsum(sizes[:, None] * sizes[near], axis=1).sum(axis=0) / float(len(owner)) ** 2
    affordable = int((compared <= MOST_COMPARED).sum())
    wanted = int(np.quantile(needed, RECALL, method="inverted_cdf")) + 1
    n_near = max(1, min(wanted, affordable))
    return n_near, float((needed < n_near).mean())


def _true_neighbours(embeddings: Floats, indices: Integers, checked: Integers) -> Integers:
    """Compare some of the items with all of them.

    Args:
        embeddings: Shape (n_items, d).
        indices: Shape (m,), which items take part.
        checked: Shape (n,), places in `indices`.

    Returns:
        Shape (n, 10), places in `indices`, without themselves.
    """
    rows = unit_rows(embeddings, indices[checked])
    best = faiss.ResultHeap(len(rows), CHECKED_NEIGHBOURS + 1, keep_max=True)
    for where in _blocks(len(indices)):
        block = unit_rows(embeddings, indices[where])
        cosines, places = _search(rows, block, min(CHECKED_NEIGHBOURS + 1, len(block)))
        best.add_result(cosines, places + where.start)
    best.finalize()
    itself = checked[:, None] == best.I
    itself[~itself.any(axis=1), -1] = True
    neighbours: Integers = best.I[~itself].reshape(len(rows), CHECKED_NEIGHBOURS)
    return neighbours


def _search(rows: Floats, base: Floats, k: int) -> tuple[Floats, Integers]:
    """Compare rows with a base by cosine, on a graphics card where FAISS has one."""
    if faiss.get_num_gpus():
        resources = faiss.StandardGpuResources()
        metric = faiss.METRIC_INNER_PRODUCT
        return faiss.knn_gpu(resources, rows, base, k, metric=metric)
    with one_thread() if rows.size * len(base) < SMALL else nullcontext():
        return faiss.knn(rows, base, k, metric=faiss.METRIC_INNER_PRODUCT)


def _blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, BLOCK):
        yield slice(start, min(start + BLOCK, n_rows))
