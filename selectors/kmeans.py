"""The centres of clusters, batch after batch."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.first_batch import cover
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class KMeans:
    """The candidates nearest to the centroids of as many clusters as are picked.

    The score is the cosine to the centroid, the reason "coverage". Labels play no part: every
    batch covers anew what is left, and asks about the middle of the same clusters again. Where a
    cluster has no member, or its nearest item is like another's, the most uncertain fill up.

    The picked set does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Xu et al. 2003 (Representative sampling), on all candidates. Centroids learn from 256
    candidates each, drawn at random.
    One pass over the candidates, O(n_candidates * d * k) time, O((block + 256 * k) * d) memory.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, one a cluster."""
        k = how_many(view, k)
        scores = view.doubt("margin", view.candidates)
        one_stratum = np.zeros(len(scores), dtype=np.int64)
        return filled_up(view, cover(view, one_stratum, scores, k, rng), scores, k, rng)
