"""Uncertainty alone: three ways to say how unsure a distribution is."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.ranking import best_first
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
        scores = view.doubt("margin", view.candidates)
        return best_first(view, scores, k, "uncertain", rng)


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
        scores = view.doubt("least_confident", view.candidates)
        return best_first(view, scores, k, "uncertain", rng)


class Entropy:
    """The candidates whose distributions are flattest; the score is the entropy over its maximum.

    Many small probabilities count as much as two large ones, so with many labels it prefers items
    that no label fits. On text it is seldom better than `margin`, and it can lose to chance.

    The picked set does not depend on the order of the pool wherever scores are distinct;
    chance decides among equal ones.

    Source: Dagan and Engelson 1995; Settles 2009, section 3.1.
    O(n_candidates * n_labels) time for the scores.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, highest entropy first."""
        k = how_many(view, k)
        scores = view.doubt("entropy", view.candidates)
        return best_first(view, scores, k, "uncertain", rng)
