"""Disagreement of students that could all be right: mutual information with the weights."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.committee import disagreement
from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.arithmetic.probe import can_fit, fit_probe
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import over_rows
from hilt.selectors.base import how_many
from hilt.types import Floats, Selection, SelectionView


class Bald:
    """The candidates on which draws from the posterior of a linear probe disagree most.

    A ridge regression with a softmax is fitted to the embeddings of the labelled items, and drawn
    from its posterior `draws` times. The score is the mutual information of an item's label and
    the weights, over its maximum: the entropy of the mean prediction less the mean entropy. So
    what more labels would settle counts, and doubt that lies in the item itself does not. The
    reason is "uncertain". Until two labels have an example, it is the first batch by coverage.

    The picked set does not depend on the order of the pool wherever scores are distinct; chance
    decides among equal ones.

    Source: Houlsby et al. 2011 (BALD); a linear-Gaussian posterior in place of dropout.
    O(n_candidates * d * n_labels * draws) time, O(block * n_labels * draws) memory.

    Args:
        draws: How many students there are.
    """

    tasks = ("single",)  # the probe predicts one label

    def __init__(self, draws: int = 10) -> None:
        self.draws = draws

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, most disputed first."""
        k = how_many(view, k)
        if not can_fit(view):
            return first_batch(view, k, rng)
        probe = fit_probe(unit_rows(view.embeddings, view.labelled), view.labels)
        weights = probe.draw(self.draws, rng)

        def information(rows: Floats) -> Floats:
            return disagreement(probe.probabilities(rows, weights))

        scores = np.concatenate(over_rows(view.embeddings, view.candidates, information))
        return best_first(view, scores, k, "uncertain", rng)
