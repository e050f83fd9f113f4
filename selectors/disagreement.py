"""Disagreement of a committee, by its distributions and by its votes."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.committee import (
    disagreement,
    scored_by_committee,
    vote_entropy,
)
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class Disagreement:
    """The candidates on which the committee's members are farthest from their consensus.

    The committee is every proposer and the student; who abstains is left out. The score is the
    mean Kullback-Leibler divergence of the members to their mean, over its maximum. What all
    members are equally unsure of scores 0: only a difference between them counts.

    The picked set does not depend on the order of the pool wherever scores are distinct;
    chance decides among equal ones.

    Source: McCallum and Nigam 1998.
    O(n_candidates * n_members * n_labels) time, O(block * n_members * n_labels) memory.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, most disputed first.

        Raises:
            DataError: If there is no committee, or one of a single member.
        """
        k = how_many(view, k)
        scores = scored_by_committee(view, disagreement)
        return best_first(view, scores, k, "uncertain", rng)


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
        scores = scored_by_committee(view, vote_entropy)
        return best_first(view, scores, k, "uncertain", rng)
