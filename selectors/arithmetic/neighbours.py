"""Nearest neighbours by FAISS: the one place where every item is compared with many others.

Small pools are compared whole. Larger ones are cut into lists by k-means, and the items of a list
are compared with those of the nearest few lists, all of them in one matrix product. Neighbours that
lie on two sides of a cut are lost in it, so that there are several cuts, from other random starts:
of a million items, three of them find with 1 % of the comparisons what one does not find with 5 %.
How many lists are needed is measured on a sample before the work begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import faiss
import numpy as np

from hilt.selectors.arithmetic.clustering import centroids
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import one_thread
from hilt.types import Floats, Graph, Integers

WHOLE = 20_000  # items up to which every one is compared with every other
BLOCK = 8192  # rows that are float32 at one time
LEARN_FROM = 64  # rows per list that k-means learns from
ROUNDS = 10  # of k-means; more hardly moves the lists
CUTS = 3  # ways in which a large pool is cut; one more would find little more
CHECKED = 256  # items whose true neighbours say how many lists are needed
CHECKED_NEIGHBOURS = 10
RECALL = 0.95  # wanted of those, on average
SMALL = 100_000_000  # multiplications that one thread does before a second one is ready
MIN_NEAR = 2  # lists that are compared with each, for there are lists of very few items
MAX_NEAR = 8  # and where that is not enough, the recall is what it is


@dataclass(frozen=True, slots=True)
class Cut:
    """Items cut into lists, and which of the lists are compared with each other.

    Attributes:
        order: Shape (n_items,), their indices, list by list.
        starts: Shape (n_lists + 1,), where each list begins in `order`.
        near: Shape (n_lists, n_near), for each list those that it is compared with, itself first.
    """

    order: Integers
    starts: Integers
    near: Integers

    def __len__(self) -> int:
        return len(self.starts) - 1

    def members(self, number: int) -> Integers:
        """Give the indices of one list's items."""
        return self.order[self.starts[number] : self.starts[number + 1]]


def cut_into_lists(
    embeddings: Floats, indices: Integers, rng: np.random.Generator
) -> tuple[list[Cut], float]:
    """Decide which items are compared with which.

    Args:
        embeddings: Shape (n_items, d), float16 or float32, unit rows; may be memory-mapped.
        indices: Shape (m,), ascending: which items take part.
        rng: The only source of chance.

    Returns:
        The cuts: one into a single list for a few items; else several, each into about as many
        lists as the root of their number. And what `arrange_cuts` says that they find.
        O(m^1.5 * d) time, O(m + n_lists^2) memory.
    """
    n_cuts = count_cuts(len(indices))
    centres = np.stack([list_centres(embeddings, indices, rng) for _ in range(n_cuts)])
    owners = nearest_centres(embeddings, indices, centres)
    return arrange_cuts(embeddings, indices, owners, centres, rng)


def count_lists(n_items: int) -> int:
    """Say into how many lists items should be cut: one while they can be compared whole."""
    return 1 if n_items <= WHOLE else round(n_items**0.5)


def count_cuts(n_items: int) -> int:
    """Say in how many ways items should be cut."""
    return 1 if count_lists(n_items) == 1 else CUTS


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
    """Find the list of some items in every cut.

    Args:
        embeddings: Shape (n_items, d).
        indices: Shape (m,), which items.
        centres: Shape (n_cuts, n_lists, d), from `list_centres`.

    Returns:
        Shape (m, n_cuts), int32.
    """
    owners = np.empty((len(indices), len(centres)), dtype=np.int32)
    for where in _blocks(len(indices)):
        rows = unit_rows(embeddings, indices[where])
        for number, lists in enumerate(centres):
            owners[where, number] = _search(rows, lists, 1)[1][:, 0]
    return owners


def arrange_cuts(
    embeddings: Floats,
    indices: Integers,
    owners: Integers,
    centres: Floats,
    rng: np.random.Generator,
) -> tuple[list[Cut], float]:
    """Decide which lists are compared with each other, once it is known what is in which.

    Args:
        embeddings: Shape (n_items, d).
        indices: Shape (m,), ascending: which items take part.
        owners: Shape (m, n_cuts), from `nearest_centres`.
        centres: Shape (n_cuts, n_lists, d), from `list_centres`.
        rng: Draws the items on which the recall is measured.

    Returns:
        The cuts, and the share of the ten nearest neighbours that they find, measured on a sample.
    """
    near = np.stack([_nearest_lists(lists) for lists in centres])
    recall = 1.0
    if centres.shape[1] > 1:
        checked = np.sort(rng.choice(len(indices), CHECKED, replace=False))
        neighbours = _true_neighbours(embeddings, indices, checked)
        n_near, recall = _lists_needed(owners[checked], owners[neighbours], near)
        near = near[:, :, :n_near]
    return [_cut(indices, *each) for each in zip(owners.T, near, strict=True)], recall


def search_list(
    embeddings: Floats, cut: Cut, number: int, k: int
) -> tuple[Integers, Integers, Floats]:
    """Find the nearest neighbours of one list's items.

    Args:
        embeddings: Shape (n_items, d).
        cut: One of those from `cut_into_lists`, for the same embeddings.
        number: Which of its lists.
        k: How many neighbours of each item.

    Returns:
        The list's indices, shape (m,); their neighbours' indices, shape (m, k), nearest first,
        never the item itself, -1 where there are fewer; and the cosines to them, -1 there.
    """
    members = cut.members(number)
    others = np.concatenate([cut.members(other) for other in cut.near[number]])
    return members, *_nearest_others(embeddings, members, others, k)


def merge_neighbours(
    neighbours: Integers, cosines: Floats, others: Integers, other_cosines: Floats
) -> tuple[Integers, Floats]:
    """Keep the nearest of what two cuts found for the same items.

    Args:
        neighbours: Shape (m, k), what one found, -1 where there are fewer.
        cosines: Shape (m, k), of those.
        others: Shape (m, k), what the other found.
        other_cosines: Shape (m, k).

    Returns:
        Neighbours and cosines, both of shape (m, k), nearest first, each once, -1 where there are
        fewer. Of equally near ones the first in the pool comes first.
    """
    k = neighbours.shape[1]
    both, near = np.hstack([neighbours, others]), np.hstack([cosines, other_cosines])
    order = np.argsort(both, axis=1, kind="stable")
    both, near = np.take_along_axis(both, order, axis=1), np.take_along_axis(near, order, axis=1)
    both[:, 1:][both[:, 1:] == both[:, :-1]] = -1
    near[both < 0] = -np.inf
    order = np.argsort(-near, axis=1, kind="stable")[:, :k]
    both, near = np.take_along_axis(both, order, axis=1), np.take_along_axis(near, order, axis=1)
    near[both < 0] = -1
    return both, near


def build_graph(embeddings: Floats, k: int, rng: np.random.Generator) -> Graph:
    """Find the nearest neighbours of every item, in memory.

    Args:
        embeddings: Shape (n_items, d), float16 or float32, unit rows; may be memory-mapped.
        k: How many neighbours of each item.
        rng: The only source of chance.

    Raises:
        DataError: If a row holds NaN or infinity.
    """
    cuts, _ = cut_into_lists(embeddings, np.arange(len(embeddings)), rng)
    neighbours = np.empty((len(embeddings), k), dtype=np.int32)
    cosines = np.empty((len(embeddings), k), dtype=np.float32)
    for cut in cuts:
        for number in range(len(cut)):
            members, found, near = search_list(embeddings, cut, number, k)
            if cut is not cuts[0]:
                known = neighbours[members], cosines[members]
                found, near = merge_neighbours(*known, found, near)
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


def _nearest_lists(centres: Floats) -> Integers:
    """Order the lists that are nearest to each: shape (n_lists, MAX_NEAR), itself first."""
    cosines = centres @ centres.T
    np.fill_diagonal(cosines, 2)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :MAX_NEAR]


def _lists_needed(
    owners: Integers, neighbours_owners: Integers, near: Integers
) -> tuple[int, float]:
    """Find how many near lists hold enough of the checked items' true neighbours.

    Args:
        owners: Shape (n_checked, n_cuts), the lists of the checked items.
        neighbours_owners: Shape (n_checked, 10, n_cuts), those of their neighbours.
        near: Shape (n_cuts, n_lists, MAX_NEAR), from `_nearest_lists`.

    Returns:
        That number, and the share of the neighbours that they hold.
    """
    looked_at = np.stack([lists[owner] for lists, owner in zip(near, owners.T, strict=True)], 1)
    holds = looked_at[:, None] == neighbours_owners[..., None]  # (checked, 10, cuts, near)
    recall = np.logical_or.accumulate(holds.any(axis=2), axis=2).mean(axis=(0, 1))
    enough = np.flatnonzero(recall >= RECALL)
    n_near = max(MIN_NEAR, enough[0] + 1) if len(enough) else len(recall)
    return int(n_near), float(recall[n_near - 1])


def _cut(indices: Integers, owner: Integers, near: Integers) -> Cut:
    order = np.argsort(owner, kind="stable")
    return Cut(indices[order], np.searchsorted(owner[order], np.arange(len(near) + 1)), near)


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
