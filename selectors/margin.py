"""Uncertainty alone."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.arithmetic.uncertainty import margin
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class Margin:
    """The candidates whose two likeliest labels are closest; the score is 1 - (p1 - p2).

    The picked set does not depend on the order of the pool wherever scores are distinct;
    chance decides among equal ones.

    Source: Scheffer, Decomain and Wrobel 2001. O(n_candidates * n_labels) time for the scores.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, least certain first."""
        k = how_many(view, k)
        scores = margin(view.probabilities, view.candidates)
        return best_first(view, scores, k, "uncertain", rng)
