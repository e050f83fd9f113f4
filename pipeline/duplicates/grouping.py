"""Which items are so alike that one decision does for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.blocks import blocks
from hilt.pipeline.duplicates.groups_on_disk import groups_maker
from hilt.pipeline.duplicates.overlap import WordTable, overlap, shared_with_part, stack, tabulate
from hilt.pipeline.duplicates.passages import Passages
from hilt.pipeline.duplicates.rule import MUCH
from hilt.pipeline.duplicates.stars import find_stars
from hilt.pipeline.duplicates.words import Words, read_words
from hilt.pipeline.workspace.array_making import is_made, make_array, one_by_one
from hilt.pipeline.workspace.arrays import Array
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.types import Floats, Graph, Integers

PAIR_ROWS = 16384  # pairs that are compared at once
TEXT_ROWS = 4096  # texts that are in memory at once
CHARACTERS = 200_000_000  # of texts in which passages are counted; of more texts, every few
ROUNDING = 0.001  # a cosine in the graph may be this far off, for it is kept as float16
SHOWN = 5  # pairs on each side of a threshold that are kept to be looked at
NEARLY = 1000  # pairs closest below the cosine, whose words are compared for that
WIDTH = 0.05  # how far below the cosine that looks


def make_groups(files: WorkspaceFiles) -> bool:
    """Find the near-duplicates, unless that was done for the same graph and thresholds.

    Returns:
        Whether anything was made; never while `duplicates.near` is off.
    """
    if not files.config.duplicates.near:
        return False
    if is_made(files.near_duplicates, groups_maker(files), files.progress):
        return False
    groups, found = _find_groups(files)
    return make_array(
        files.near_duplicates,
        groups.shape,
        groups_maker(files),
        one_by_one(lambda start, stop: groups[start:stop]),
        description="Saving near-duplicates",
        progress=files.progress,
        chunk_rows=len(groups),
        dtype=np.int32,
        measured=found,
    )


class Likeness:
    """Compares items by embedding and by words.

    Args:
        files: Where the items are.
        items: Ascending indices of all that will be compared; their words are kept in memory,
            20 bytes for each different word of each.
    """

    def __init__(self, files: WorkspaceFiles, items: Integers) -> None:
        self._least = files.config.duplicates
        self._embeddings = files.embeddings.open()
        self._items = items
        step = max(1, int(files.pool.lengths[items].sum()) // CHARACTERS)
        self._words = _count_words(files, items, step)
        self._much = MUCH * len(np.unique(files.pool.groups)) / step

    def near(self, left: Integers, right: Integers) -> npt.NDArray[np.bool_]:
        """Tell of pairs of items whether they are near-duplicates: shape (m,)."""
        near: npt.NDArray[np.bool_] = self.cosines(left, right) >= self._least.cosine
        near[near] = self.overlaps(left[near], right[near]) >= self._least.overlap
        return near

    def cosines(self, left: Integers, right: Integers) -> Floats:
        """Compare the embeddings of pairs: shape (m,)."""
        cosines = np.empty(len(left), dtype=np.float32)
        for block in blocks(len(left), PAIR_ROWS):
            one, other = (unit_rows(self._embeddings, ends[block]) for ends in (left, right))
            cosines[block] = np.einsum("ij,ij->i", one, other)
        return cosines

    def closeness(self, items: Integers, parts: Integers) -> Floats:
        """Compare items with the mean of their part, by embedding and by words: shape (m,)."""
        means = np.zeros((parts.max() + 1, self._embeddings.shape[1]), dtype=np.float32)
        for block in blocks(len(items), PAIR_ROWS):
            np.add.at(means, parts[block], unit_rows(self._embeddings, items[block]))
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        closeness = shared_with_part(self._words.counts[np.searchsorted(self._items, items)], parts)
        for block in blocks(len(items), PAIR_ROWS):
            rows = unit_rows(self._embeddings, items[block])
            closeness[block] += np.einsum("ij,ij->i", rows, means[parts[block]])
        return closeness

    def overlaps(self, left: Integers, right: Integers) -> Floats:
        """Compare the words of pairs: shape (m,)."""
        overlaps = np.empty(len(left), dtype=np.float32)
        for block in blocks(len(left), PAIR_ROWS):
            one, other = (np.searchsorted(self._items, ends[block]) for ends in (left, right))
            overlaps[block] = overlap(self._words[one], self._words[other], self._much)
        return overlaps


def _count_words(files: WorkspaceFiles, items: Integers, step: int) -> WordTable:
    """Count the words of many items, and how widespread each is among them, or every few."""
    passages = Passages(_read_words(files, items[::step], "Counting passages"))
    tables = [
        tabulate(words, passages.spread(words))
        for words in _read_words(files, items, "Counting words")
    ]
    return stack(tables)


def _read_words(files: WorkspaceFiles, items: Integers, description: str) -> Iterator[Words]:
    """Read the words of items in blocks, at least one."""
    with files.progress.task(description, len(items), "items") as advance:
        for block in [*blocks(len(items), TEXT_ROWS)] or [slice(0)]:
            words = read_words(files.pool.likenesses(items[block]))
            yield words
            advance(len(words))


def _find_groups(files: WorkspaceFiles) -> tuple[Integers, dict[str, Any]]:
    """Group the items of a pool.

    Returns:
        Shape (n_items,), each item's representative; and some pairs that the thresholds only just
        hold together or keep apart, in `together` and `apart`.
    """
    graph, pool, least = files.graph, files.pool, files.config.duplicates
    assert graph is not None
    left, right = _linked(graph, np.unique(pool.groups), least.cosine)
    likeness = Likeness(files, np.union1d(left, right))
    cosines, overlaps = likeness.cosines(left, right), likeness.overlaps(left, right)
    close, same_words = cosines >= least.cosine, overlaps >= least.overlap
    near = close & same_words
    groups = find_stars(len(pool), left[near], right[near], likeness)[pool.groups]

    compared = (left, right, cosines, overlaps)
    return groups, {
        "together": _some(compared, near, (cosines, overlaps)),
        "apart": [
            *_some(compared, close & ~near, (-cosines, -overlaps)),
            *_some(compared, same_words & ~near, (-overlaps, -cosines)),
        ],
    }


def _linked(graph: Graph, items: Integers, cosine: float) -> tuple[Integers, Integers]:
    """List the pairs that are near enough by the graph, and the closest of those that are not.

    Args:
        graph: Of all items.
        items: Indices of those to look at, the first of every text: so no text is seen twice.
        cosine: The threshold.

    Returns:
        The ends of m pairs, each pair once: shape (m,) each, the smaller index in the first.
        O(edges) time.
    """
    n_items = len(graph.neighbours)
    keys, cosines = [], []
    for block in blocks(len(items)):
        near = graph.cosines[items[block]]
        rows, columns = np.nonzero(near >= cosine - WIDTH)
        ends = items[block][rows], graph.neighbours[items[block]][rows, columns].astype(np.int64)
        keys.append(np.minimum(*ends) * n_items + np.maximum(*ends))
        cosines.append(near[rows, columns])
    key, place = np.unique(np.concatenate(keys), return_index=True)
    found = np.concatenate(cosines)[place]
    enough = int((found >= cosine - ROUNDING).sum()) + NEARLY
    closest = np.sort(key[np.argsort(-found, kind="stable")[:enough]])
    left, right = np.divmod(closest, n_items)
    return left, right


def _some(
    compared: tuple[Array, ...], chosen: npt.NDArray[np.bool_], order: tuple[Floats, ...]
) -> list[dict[str, Any]]:
    """Pick a few of the chosen pairs, first by the last of the orders; no item comes twice."""
    places = np.flatnonzero(chosen)
    places = places[np.lexsort([each[places] for each in order])]
    picked: list[dict[str, Any]] = []
    seen: set[int] = set()
    for place in places:
        left, right, cosine, shared = (each[place].item() for each in compared)
        if seen.isdisjoint((left, right)):
            seen |= {left, right}
            alike = {"cosine": round(cosine, 4), "overlap": round(shared, 4)}
            picked.append({"items": [left, right], **alike})
        if len(picked) == SHOWN:
            break
    return picked
