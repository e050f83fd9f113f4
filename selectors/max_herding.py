"""Coverage by a smooth kernel: items that stand for as many others as possible."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.greedy import cover_greedily, nearness
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.sampling import nearest_cosines, pick_from_samples, read_sample
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView


class MaxHerding:
    """One after the other, the item that brings the others nearest to a labelled or picked one.

    Nearness is exp(-(distance / radius)^2), and the score the gain in mean nearness. Uncertainty
    plays no part, and the reason is "coverage": made for few labels, where it finds the middle of
    what is common. Unlike `probcover` it hardly depends on its radius.

    The picks are those of the greedy algorithm on all candidates, as long as these are no more
    than `sample`; of a larger pool, those on so many drawn at random, and on a new sample for
    every quarter of its size that is picked.

    The picked set does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Bae, Noh and Sutherland 2024 (Generalized coverage, MaxHerding).
    O(n_candidates * n_labels + sample^2 * d) time, O(n_candidates + sample * d) memory.

    Args:
        sample: How many items are covered, and picked from.
        radius: Distance at which nearness has fallen to 1/e.
    """

    def __init__(self, sample: int = 10_000, radius: float = 1.0) -> None:
        self.sample = sample
        self.radius = radius

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, in the order in which they cover."""
        k = how_many(view, k)
        doubt = view.doubt("margin", view.candidates)
        indices, gains = pick_from_samples(view, doubt, self.sample, k, rng, self._herd)
        reason: Reason = "coverage"
        covering = Selection(indices, gains, (reason,) * len(indices))
        return filled_up(view, covering, doubt, k, rng)

    def _herd(self, view: SelectionView, indices: Integers, k: int) -> tuple[Integers, Floats]:
        """Pick up to k of the items of a sample."""
        sample = read_sample(view, indices)
        known = unit_rows(view.embeddings, np.append(view.labelled, view.taken))
        weights = np.full(len(indices), 1 / len(indices), dtype=np.float32)
        covered = nearness(nearest_cosines(sample, known), self.radius)
        places, gains = cover_greedily(sample, weights, covered, self.radius, k)
        return indices[places], np.minimum(gains, 1)
