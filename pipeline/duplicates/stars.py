"""Groups in which every item is near one of them, and not merely linked to it by others."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hilt.types import Floats, Integers

ROUNDS = 10  # in each of which every part gives one star
DIGITS = 3  # of closeness that count; what is closer than that is equally close


class Comparison(Protocol):
    """Compares items."""

    def near(self, left: Integers, right: Integers) -> npt.NDArray[np.bool_]:
        """Tell of pairs of items whether they are near: shape (m,)."""
        ...

    def closeness(self, items: Integers, parts: Integers) -> Floats:
        """Say how close items are to the middle of their part: shape (m,)."""
        ...


def find_stars(n_items: int, left: Integers, right: Integers, likeness: Comparison) -> Integers:
    """Gather items around representatives.

    A graph holds but the nearest few of each item, so among many copies none is linked to all the
    others. Therefore all that hangs together is compared with the item in its middle, which takes
    those that are near; then so is what hangs together of the rest. A chain gives few stars in a
    round, so what is left in the end is covered along its links alone.

    Args:
        n_items: How many items there are.
        left: Shape (m,), indices: one end of each pair that is near.
        right: Shape (m,), the other ends.
        likeness: Compares items that are in some pair.

    Returns:
        Shape (n_items,): the index of each item's representative, its own where it is alone.
        O(n_items + m log m) time; an item is compared with 10 others at most.
    """
    centres = np.arange(n_items)
    waiting = np.ones(n_items, dtype=bool)
    for _ in range(ROUNDS):
        if not len(left):
            break
        items = np.union1d(left, right)
        middles = _middles(items, _parts(items, left, right), likeness)
        taken = items == middles
        taken[~taken] = likeness.near(items[~taken], middles[~taken])
        centres[items[taken]] = middles[taken]
        waiting[items[taken]] = False
        linked = waiting[left] & waiting[right]
        left, right = left[linked], right[linked]
    _cover(centres, left, right)
    return centres


def _parts(items: Integers, left: Integers, right: Integers) -> Integers:
    """Number what hangs together: shape (n,), for each of the items."""
    ends = np.searchsorted(items, left), np.searchsorted(items, right)
    links = coo_array((np.ones(len(left), dtype=bool), ends), shape=(len(items), len(items)))
    parts: Integers = connected_components(links, directed=False)[1]
    return parts


def _middles(items: Integers, parts: Integers, likeness: Comparison) -> Integers:
    """Find the item in the middle of each one's part, of equals the first: shape (n,)."""
    closeness = np.zeros(len(items))
    several = np.bincount(parts)[parts] > 2  # of two, each is as close to the middle
    if several.any():
        numbers = np.unique(parts[several], return_inverse=True)[1]
        closeness[several] = np.round(likeness.closeness(items[several], numbers), DIGITS)
    order = np.lexsort((items, -closeness, parts))
    first = np.searchsorted(parts[order], np.arange(parts.max() + 1))
    return items[order[first]][parts]


def _cover(centres: Integers, left: Integers, right: Integers) -> None:
    """Cover linked items with stars, those of the highest degree first, of equals the first.

    Source: Aslam, Pelekhov and Rus 2004, section 3.
    """
    ends, others = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((others, ends))
    others = others[order]
    starts = np.searchsorted(ends[order], np.arange(len(centres) + 1))
    degrees = np.diff(starts)
    linked = np.flatnonzero(degrees)
    alone = degrees > 0  # of the linked ones, those that are in no star yet
    for item in linked[np.argsort(-degrees[linked], kind="stable")]:
        if alone[item]:
            around = others[starts[item] : starts[item + 1]]
            around = around[alone[around]]
            centres[around] = item
            alone[around] = alone[item] = False
