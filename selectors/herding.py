"""Uncertainty herding: items that stand for many others of which the student is unsure."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.arithmetic.greedy import cover_greedily, nearness
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.sampling import nearest_cosines, pick_from_samples, read_sample
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

MANY_LABELS = 20  # from so many on they follow the clusters of the pool well enough
MIN_RADIUS = 0.2  # near-duplicates among the labelled would shrink it to nothing


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
    O(n_candidates * n_labels + sample^2 * d) time, O(n_candidates + sample * d) memory.
    """

    def __init__(self, sample: int = 4000, quantile: float = 0.1) -> None:
        self.sample = sample
        self.quantile = quantile

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates: covering while nothing is labelled, then herding."""
        k = how_many(view, k)
        first = len(view.labelled) == 0
        if len(view.candidates) == 0 or (first and view.n_labels < MANY_LABELS):
            return first_batch(view, k, rng)
        scores = view.doubt("margin", view.candidates)
        indices, _ = pick_from_samples(view, scores, self.sample, k, rng, self._herd)
        picked_scores = scores[np.searchsorted(view.candidates, indices)]
        reason: Reason = "coverage" if first else "uncertain"
        herded = Selection(indices, picked_scores, (reason,) * len(indices))
        return filled_up(view, herded, scores, k, rng)

    def _herd(self, view: SelectionView, indices: Integers, k: int) -> tuple[Integers, Floats]:
        """Pick up to k of the items of a sample."""
        sample = read_sample(view, indices)
        known = unit_rows(view.embeddings, np.append(view.labelled, view.taken))
        if len(view.labelled):
            weights = view.doubt("margin", indices)
            spread = known[:: len(known) // self.sample + 1]  # not all, where there are very many
            radius = max(_quantile_distance(spread, self.quantile), MIN_RADIUS)
        else:
            weights, radius = np.ones(len(indices), dtype=np.float32), 1.0
        covered = nearness(nearest_cosines(sample, known), radius)
        places, gains = cover_greedily(sample, weights, covered, radius, k)
        return indices[places], gains


def _quantile_distance(rows: Floats, quantile: float) -> float:
    """Find a low quantile of the distances from each row to its nearest; 1 for a single row."""
    if len(rows) < 2:
        return 1.0
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    nearest = np.sqrt(np.maximum(2 - 2 * cosines.max(axis=1), 0))
    return float(np.quantile(nearest, quantile))
