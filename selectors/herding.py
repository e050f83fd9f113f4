"""Uncertainty herding: items that stand for many others of which the student is unsure."""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np

from hilt.selectors.base import how_many
from hilt.selectors.coverage import first_batch
from hilt.selectors.duplicates import ROUNDING
from hilt.selectors.ranking import draw, filled_up
from hilt.selectors.rows import unit_rows
from hilt.selectors.uncertainty import margin
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

MANY_LABELS = 20  # from so many on they follow the clusters of the pool well enough
LEAST_RADIUS = 0.2  # near-duplicates among the labelled would shrink it to nothing
PICKED_OF_SAMPLE = 4  # a sample has so many times the items that are picked from it, at least


class Herding:
    """The items that cover most of the uncertainty around them.

    While nothing is labelled and labels are few: as `hybrid`, the items nearest to k-means
    centroids, spread over the predicted labels. With twenty labels or more, and always once there
    are labels: one after the other, the item that adds most to the sum over a sample
    of uncertainty times nearness to the nearest labelled or picked item; the reason is
    "uncertain", the score the uncertainty. Nearness is exp(-(distance / radius)^2). The radius is
    a low quantile of the distances between labelled items, and shrinks as labels come in: so it
    covers at first, and goes by uncertainty alone in the end. In the first batch every item counts
    alike, the radius is 1, and the reason is "coverage".

    Source: Bae et al. 2025 (Uncertainty Herding, ICLR), with a quantile for the smallest distance.
    O(n_candidates * n_labels + sample^2 * d) time and O(sample^2) memory: gains only fall as items
    are picked, so that a heap finds the greedy choice without computing every gain again.
    """

    def __init__(self, sample: int = 4000, quantile: float = 0.1) -> None:
        self.sample = sample
        self.quantile = quantile

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates: covering while nothing is labelled, then herding."""
        k = how_many(view, k)
        first = len(view.labelled) == 0
        if len(view.candidates) == 0 or (first and view.probabilities.shape[1] < MANY_LABELS):
            return first_batch(view, k, rng)
        scores = margin(view.probabilities, view.candidates)
        picked = np.empty(0, dtype=np.int64)  # places among the candidates
        most = max(self.sample // PICKED_OF_SAMPLE, 1)
        while len(picked) < k:
            left = np.setdiff1d(np.arange(len(scores)), picked)
            places = draw(left, scores, self.sample, rng)
            taken = np.append(view.taken, view.candidates[picked])
            chosen = self._herd(
                replace(view, taken=taken), places, scores, min(most, k - len(picked))
            )
            if not len(chosen):
                break
            picked = np.append(picked, chosen)
        reason: Reason = "coverage" if first else "uncertain"
        herded = Selection(view.candidates[picked], scores[picked], (reason,) * len(picked))
        return filled_up(view, herded, scores, k, rng)

    def _herd(self, view: SelectionView, places: Integers, scores: Floats, k: int) -> Integers:
        """Pick up to k of some candidates, and return their places."""
        indices = view.candidates[places]
        rows = unit_rows(view.embeddings, indices)
        known = unit_rows(view.embeddings, np.append(view.labelled, view.taken))
        spread = known[:: len(known) // self.sample + 1]  # not all, where there are very many
        first = len(view.labelled) == 0
        weights = np.ones_like(scores) if first else scores
        radius = 1.0 if first else max(_quantile_distance(spread, self.quantile), LEAST_RADIUS)
        cosines = rows @ rows.T  # (sample, sample)
        covered = _nearness(rows @ known.T, radius).max(axis=1, initial=0)
        groups = view.groups[indices]
        open_ = ~np.isin(groups, view.groups[view.taken])
        near = view.near_duplicate - ROUNDING
        if len(view.taken):
            open_ &= (rows @ unit_rows(view.embeddings, view.taken).T < near).all(axis=1)
        alike = (cosines >= near) | (groups[:, None] == groups)
        np.fill_diagonal(alike, val=True)
        nearness = _nearness(cosines, radius)
        return places[greedy_cover(nearness, weights[places], covered, alike, open_, k)]


def greedy_cover(
    nearness: Floats,
    weights: Floats,
    covered: Floats,
    alike: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    open_: np.ndarray[tuple[int], np.dtype[np.bool_]],
    k: int,
) -> Integers:
    """Pick items one after the other, each the one that covers most that is not covered yet.

    Args:
        nearness: Shape (n, n), in [0, 1], symmetric.
        weights: Shape (n,), what covering each item is worth.
        covered: Shape (n,), how near each item is to what is known already.
        alike: Shape (n, n), which items may not be picked together.
        open_: Shape (n,), which items may be picked at all.
        k: How many.

    Returns:
        Shape (up to k,), places.

    Source: Minoux 1978, the lazy greedy algorithm for submodular functions.
    """
    gains = weights @ np.maximum(nearness - covered[:, None], 0)
    heap = [(-gain, place, 0) for place, gain in enumerate(gains.tolist())]
    heapq.heapify(heap)
    covered, open_ = covered.copy(), open_.copy()
    picked: list[int] = []
    while heap and len(picked) < k:
        _, place, known = heapq.heappop(heap)
        if not open_[place]:
            continue
        if known < len(picked):  # the gain is of an earlier round: too high, perhaps
            gain = float(weights @ np.maximum(nearness[place] - covered, 0))
            heapq.heappush(heap, (-gain, place, len(picked)))
            continue
        picked.append(place)
        covered = np.maximum(covered, nearness[place])
        open_ &= ~alike[place]
    return np.array(picked, dtype=np.int64)


def _nearness(cosines: Floats, radius: float) -> Floats:
    squared_distances = np.maximum(2 - 2 * cosines, 0)
    return np.exp(-squared_distances / np.float32(radius**2))


def _quantile_distance(rows: Floats, quantile: float) -> float:
    """Find a low quantile of the distances from each row to its nearest; 1 for a single row."""
    if len(rows) < 2:
        return 1.0
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    nearest = np.sqrt(np.maximum(2 - 2 * cosines.max(axis=1), 0))
    return float(np.quantile(nearest, quantile))
