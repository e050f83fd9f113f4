"""Items that the model judges otherwise than the labelled items around them."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.arithmetic.neighbours import nearest_among
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.arithmetic.threads import in_threads
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Selection, SelectionView

BLOCK = 4096  # candidates compared with the labelled items at one time
LEAST = 1e-6  # no label is impossible, or a divergence would be infinite


class Contrastive:
    """The candidates whose proposal is least like those of their nearest labelled items.

    For each of the nearest labelled items, the Kullback-Leibler divergence from its proposal to
    the candidate's; the score is 1 - exp(-mean), in [0, 1), and the reason "uncertain". It asks
    where neighbours in the embedding are judged apart, which is where a border runs. While
    nothing is labelled, it is the first batch by coverage.

    The picked set does not depend on the order of the pool wherever scores are distinct; chance
    decides among equal ones.

    Source: Margatina et al. 2021 (Contrastive active learning), algorithm 1.
    O(n_candidates * n_labelled * d) time, O(n_candidates + (block + n_labelled) * d) memory.

    Args:
        neighbours: How many labelled items a candidate is compared with.
    """

    tasks = ("single",)  # compares one distribution over the labels with another

    def __init__(self, neighbours: int = 10) -> None:
        self.neighbours = neighbours

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, most unlike their neighbours first."""
        k = how_many(view, k)
        if len(view.labelled) == 0:
            return first_batch(view, k, rng)
        known = np.maximum(view.proposal.values[view.labelled].astype(np.float32), LEAST)
        scores = view.doubt("margin", view.candidates)  # refuses NaN

        def compare(start: int) -> None:
            indices = view.candidates[start : start + BLOCK]
            own = np.maximum(view.proposal.values[indices].astype(np.float32), LEAST)
            near, _ = nearest_among(view.embeddings, indices, view.labelled, self.neighbours)
            divergences = mean_divergence(known, near, own)
            scores[start : start + BLOCK] = 1 - np.exp(-divergences)

        in_threads(compare, range(0, len(scores), BLOCK))
        return best_first(view, scores, k, "uncertain", rng)


def mean_divergence(known: Floats, near: Integers, own: Floats) -> Floats:
    """Average the Kullback-Leibler divergences from some distributions to each of others.

    Args:
        known: Shape (n, n_labels), distributions without a zero.
        near: Shape (m, neighbours), places in `known`.
        own: Shape (m, n_labels), distributions without a zero.

    Returns:
        Shape (m,), at least 0.
    """
    negative_entropies = (known * np.log(known)).sum(axis=1)[near].mean(axis=1)
    mean_of_known = sum(known[places] for places in near.T) / near.shape[1]
    cross = np.einsum("ij,ij->i", mean_of_known, np.log(own))
    divergences: Floats = np.maximum(negative_entropies - cross, 0)
    return divergences
