"""Farthest first: the greedy core-set, exactly, without a pass over the pool for every pick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilt.selectors.arithmetic.distinct import ROUNDING
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import one_thread, over_rows
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

FRONT = 1024  # candidates that are kept up to date at one time
AT_ONCE = 256  # centres that every candidate is compared with before the first pick
CLOSED = np.inf  # in place of the cosine of what may not be picked


class KCenter:
    """One after the other, the candidate farthest from everything labelled or picked.

    While nothing is labelled, the first pick is the candidate nearest to the mean of all. The score
    is the distance over its maximum, sqrt((1 - cosine) / 2), and the reason "coverage". Where all
    that is left is like what is known, the most uncertain fill up.

    What is far from everything is often an outlier: `typiclust` and `max_herding` cover what is
    common, and teach more at the start.

    The picked set does not depend on the order of the pool wherever distances are distinct.

    Source: Gonzalez 1985; Sener and Savarese 2018 (k-Center-Greedy).
    `farthest_first` says what it costs.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, farthest first."""
        k = how_many(view, k)
        doubt = view.doubt("margin", view.candidates)
        known = np.append(view.labelled, view.taken)
        first = np.empty(0, dtype=np.int64) if len(known) or k == 0 else _most_central(view)
        centres = unit_rows(view.embeddings, np.append(known, first))
        rest = replace(view, taken=np.append(view.taken, first))
        picked, cosines = farthest_first(rest, centres, k - len(first))
        cosines = np.append(np.full(len(first), -1, dtype=np.float32), cosines)
        distances = np.sqrt(np.maximum(1 - cosines, 0) / 2)
        reason: Reason = "coverage"
        covering = Selection(np.append(first, picked), distances, (reason,) * len(distances))
        return filled_up(view, covering, doubt, k, rng)


def farthest_first(view: SelectionView, centres: Floats, k: int) -> tuple[Integers, Floats]:
    """Pick candidates one after the other, each the one farthest from all centres so far.

    An item's cosine to its nearest centre only rises as centres are added. So an old cosine is a
    lower bound, and only the items with the lowest bounds, the front, need to be compared with
    the newest centres: of these the farthest is picked, until it is nearer than the bound of
    everything outside the front; then a new front is drawn up.

    Args:
        view: The pool as it stands; its candidates are picked from.
        centres: Shape (n_centres, d), float32, unit length, at least one when k is above 0.
        k: How many.

    Returns:
        Indices of up to k candidates, none of them like another or like what is taken, and the
        cosine of each to the nearest centre before it; fewer than k where every other candidate
        is as near to a centre as near-duplicates are.

        Exact. O(n_candidates * min(n_centres, 256) * d) time before the first pick; then
        O(n_candidates + front * (n_centres + k) * d) a front, and O(front * d) a pick.
        O(n_candidates + (front + block + n_centres + k) * d) memory.
    """
    picked = np.empty(0, dtype=np.int64)
    cosines = np.empty(0, dtype=np.float32)
    bounds = _nearest_cosines(view, centres[:AT_ONCE])
    seen = np.full(len(bounds), min(AT_ONCE, len(centres)), dtype=np.int32)  # centres in each bound
    near = view.near_duplicate - ROUNDING
    with one_thread():
        while len(picked) < k and bounds.min(initial=CLOSED) < near:
            front, outside = _lowest(bounds, FRONT)
            indices = view.candidates[front]
            rows = unit_rows(view.embeddings, indices)
            unseen = centres[seen[front].min() :]
            own = np.maximum(bounds[front], (rows @ unseen.T).max(axis=1, initial=-1))
            groups = view.groups[indices]
            own[np.isin(groups, view.groups[np.append(view.taken, picked)])] = CLOSED
            places: list[int] = []
            while len(picked) + len(places) < k:
                place = int(own.argmin())
                if own[place] > outside or own[place] >= near:
                    break
                places.append(place)
                cosines = np.append(cosines, own[place])
                np.maximum(own, rows @ rows[place], out=own)
                own[groups == groups[place]] = CLOSED
            picked = np.append(picked, indices[places])
            centres = np.concatenate([centres, rows[places]])
            bounds[front], seen[front] = own, len(centres)
    return picked, cosines


def _nearest_cosines(view: SelectionView, centres: Floats) -> Floats:
    """Find the cosine of every candidate to the nearest centre, shape (n_candidates,)."""

    def nearest(rows: Floats) -> Floats:
        cosines: Floats = (rows @ centres.T).max(axis=1, initial=-1)
        return cosines

    return np.concatenate(over_rows(view.embeddings, view.candidates, nearest))


def _lowest(values: Floats, count: int) -> tuple[Integers, float]:
    """Find the places of the lowest values, and the lowest of all others."""
    if len(values) <= count:
        return np.arange(len(values)), np.inf
    places = np.argpartition(values, count)
    return places[:count], float(values[places[count]])


def _most_central(view: SelectionView) -> Integers:
    """Find the candidate nearest to the mean of all, shape (1,)."""
    sums = over_rows(view.embeddings, view.candidates, lambda rows: rows.sum(axis=0))
    total = np.stack(sums).sum(axis=0, keepdims=True, dtype=np.float64)
    cosines = _nearest_cosines(view, unit_rows(total, np.array([0])))
    return view.candidates[[int(cosines.argmax())]]
