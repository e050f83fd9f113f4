"""The default: cover the pool once, then ask what is uncertain and different."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.clustering import centroids, nearest_members
from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.base import how_many
from hilt.types import Floats, Selection, SelectionView


class Hybrid:
    """Uncertain items that differ from each other; k-means centroids in the first batch.

    While nothing is labelled: the items nearest to k-means centroids, spread over the
    predicted labels (`cover`); the reason is "coverage", the score the cosine to the centroid.

    Later: the most uncertain candidates, no two alike, are clustered with their uncertainty as
    weight, and of each cluster's centre the nearest is picked; the reason is "uncertain", the
    score the uncertainty. Where clusters run short, in either case, the most uncertain fill up.

    The picked set does not depend on the order of the pool wherever uncertainties are
    distinct; chance decides among equal ones.

    Source: Zhdanov 2019 (Diverse mini-batch active learning), with the shortlist made of
    distinct items. O(n_candidates * n_labels + (shortlist * k)^2 * d) time.
    """

    def __init__(self, shortlist: int = 10) -> None:
        self.shortlist = shortlist

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates: covering while nothing is labelled, then uncertain ones."""
        k = how_many(view, k)
        if len(view.labelled) == 0 or len(view.candidates) == 0:
            return first_batch(view, k, rng)
        scores = view.doubt("margin", view.candidates)
        return self._later(view, scores, k, rng)

    def _later(
        self, view: SelectionView, scores: Floats, k: int, rng: np.random.Generator
    ) -> Selection:
        distinct = best_first(view, scores, self.shortlist * k, "uncertain", rng)
        rows = unit_rows(view.embeddings, distinct.indices)
        seed = int(rng.integers(2**31))
        nearest = nearest_members(rows, centroids(rows, k, seed, weights=distinct.scores))
        # `distinct` is most uncertain first, and so are ascending places in it
        rest = np.setdiff1d(np.arange(len(distinct)), nearest)
        places = np.sort(np.append(nearest, rest[: k - len(nearest)]))
        return Selection(
            distinct.indices[places], distinct.scores[places], distinct.reasons[: len(places)]
        )
