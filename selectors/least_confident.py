"""Uncertainty as doubt about the likeliest label."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.arithmetic.uncertainty import least_confident
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class LeastConfident:
    """The candidates whose likeliest label is least likely; the score is 1 - p1.

    With two labels it ranks as `margin` does. With many it prefers items that could be anything.

    The picked set does not depend on the order of the pool wherever scores are distinct;
    chance decides among equal ones.

    Source: Lewis and Gale 1994; Culotta and McCallum 2005.
    O(n_candidates * n_labels) time for the scores.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, least confident first."""
        k = how_many(view, k)
        scores = least_confident(view.probabilities, view.candidates)
        return best_first(view, scores, k, "uncertain", rng)
