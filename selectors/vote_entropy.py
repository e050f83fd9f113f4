"""Disagreement of a committee, by its votes."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.committee import committee_of, scored_by, vote_entropy
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class VoteEntropy:
    """The candidates on which the committee's votes are spread most evenly.

    The committee is every proposer and the student; who abstains has no vote. The score is the
    entropy of the votes over its maximum. A small committee has few ways to be split, so that
    many candidates score the same: chance decides among them.

    Source: Dagan and Engelson 1995.
    O(n_candidates * n_members * n_labels) time, O(block * n_members * n_labels) memory.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, most disputed first.

        Raises:
            DataError: If there is no committee, or one of a single member.
        """
        k = how_many(view, k)
        scores = scored_by(committee_of(view), view.candidates, vote_entropy)
        return best_first(view, scores, k, "uncertain", rng)
