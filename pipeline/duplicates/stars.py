"""Groups in which every item is near one of them, and not merely linked to it by others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hilt.types import Integers

ROUNDS = 4  # in which stars join; among many copies each makes tens of stars into one

Near = Callable[[Integers, Integers], npt.NDArray[np.bool_]]


def find_stars(n_items: int, left: Integers, right: Integers, near: Near) -> Integers:
    """Gather items around representatives.

    The item with the most near ones is the first representative, and takes all of them; then the
    next of those that are left, of equals the first. Among many copies no item is linked to all
    the others, for a graph holds but the nearest few of each: so stars that are linked are joined
    where every item is near the new representative too.

    Args:
        n_items: How many items there are.
        left: Shape (m,), indices: one end of each pair that is near.
        right: Shape (m,), the other ends.
        near: Tells of other pairs whether they are.

    Returns:
        Shape (n_items,): the index of each item's representative, its own where it is alone.
        O(n_items + m log m) time, and no more than 4 questions to `near` for an item.

    Source: Aslam, Pelekhov and Rus 2004, section 3 (covers by stars); joining is our own.
    """
    centres = _cover(left, right, np.ones(n_items, dtype=np.int64))
    for _ in range(ROUNDS):
        moved, target = _joining(centres, left, right)
        fits = near(moved, target)
        fits &= ~np.isin(centres[moved], centres[moved[~fits]])  # a star joins as a whole
        if not fits.any():
            break
        centres[moved[fits]] = target[fits]
    return centres


def _cover(left: Integers, right: Integers, weights: Integers) -> Integers:
    """Cover a graph with stars, those of the highest degree first, of equals the heaviest."""
    n_items = len(weights)
    ends, others = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((others, ends))
    others = others[order]
    starts = np.searchsorted(ends[order], np.arange(n_items + 1))
    degrees = np.diff(starts)
    linked = np.flatnonzero(degrees)
    centres = np.arange(n_items)
    alone = degrees > 0  # of the linked ones, those that are in no star yet
    for item in linked[np.lexsort((-weights[linked], -degrees[linked]))]:
        if alone[item]:
            around = others[starts[item] : starts[item + 1]]
            around = around[alone[around]]
            centres[around] = item
            alone[around] = alone[item] = False
    return centres


def _joining(centres: Integers, left: Integers, right: Integers) -> tuple[Integers, Integers]:
    """List the items whose star may join another, and the representative they would get."""
    ends = np.sort(np.column_stack([centres[left], centres[right]]), axis=1)
    links = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    sizes = np.bincount(centres, minlength=len(centres))
    targets = _cover(links[:, 0], links[:, 1], sizes)[centres]
    moved = np.flatnonzero(targets != centres)
    return moved, targets[moved]
