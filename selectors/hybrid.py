"""The default: cover the pool once, then ask what is uncertain and different."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilt.selectors.base import how_many
from hilt.selectors.coverage import cover
from hilt.selectors.duplicates import pick_distinct
from hilt.selectors.kmeans import centroids, nearest_members
from hilt.selectors.ranking import best_first
from hilt.selectors.rows import unit_rows
from hilt.selectors.uncertainty import likeliest_labels, margin
from hilt.types import Floats, Reason, Selection, SelectionView


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
        scores = margin(view.probabilities, view.candidates)
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


def first_batch(view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
    """Pick while nothing is labelled: k-means centroids, spread over the predicted labels.

    Args:
        view: The pool as it stands.
        k: How many to pick.
        rng: The only source of chance.
    """
    scores = margin(view.probabilities, view.candidates)
    if len(view.candidates) == 0:
        return best_first(view, scores, k, "uncertain", rng)
    predicted = likeliest_labels(view.probabilities, view.candidates)
    nearest, cosines = cover(view, predicted, scores, k, rng)
    picked = pick_distinct(view, [nearest], k)
    cosine_of = dict(zip(nearest.tolist(), cosines.tolist(), strict=True))
    picked_cosines = np.array([cosine_of[index] for index in picked.tolist()], dtype=np.float32)
    coverage: Reason = "coverage"
    covering = Selection(picked, picked_cosines, (coverage,) * len(picked))
    if len(picked) == k:
        return covering
    rest = replace(view, taken=np.append(view.taken, picked))
    filling = best_first(rest, scores, k - len(picked), "uncertain", rng)
    return Selection(
        np.append(covering.indices, filling.indices),
        np.append(covering.scores, filling.scores),
        covering.reasons + filling.reasons,
    )
