"""Who is right when reviewers disagree, given how good each of them is at each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilt.review.agreement import MISSING
from hilt.types import Floats, Integers

ROUNDS = 100
SETTLED = 1e-6
PRIOR = 10.0  # labels that count beforehand: of a reviewer at large, and of each row of their table
PRIOR_RIGHT = 0.8


@dataclass(frozen=True, slots=True)
class Skill:
    """What reviewers' labels say together.

    Attributes:
        probabilities: Shape (n_items, n_labels), rows sum to 1: which label is the true one.
        tables: Shape (n_reviewers, n_labels, n_labels): how often a reviewer gives each label
            (last axis) to items of each true label; rows sum to 1.
    """

    probabilities: Floats
    tables: Floats

    def accuracy(self) -> Floats:
        """Estimate how often each reviewer is right; shape (n_reviewers,)."""
        weights = self.probabilities.mean(axis=0)
        accuracy: Floats = np.diagonal(self.tables, axis1=1, axis2=2) @ weights
        return accuracy


def estimate_skill(ratings: Integers, n_labels: int) -> Skill:
    """Estimate true labels and reviewers' skills from each other, by expectation-maximisation.

    Args:
        ratings: Shape (n_items, n_reviewers): positions of labels, -1 where a reviewer gave none;
            every item has a label from somebody.
        n_labels: How many labels there are.

    A table has an entry for every two labels, and a reviewer has few labels for each entry. So a
    row begins as their accuracy at large, which begins as the belief that they are mostly right.
    Of 120 items, with 30 labels of each of 20 reviewers and four labels to choose from, that is
    right on 1.0 % more than a majority is; where every row began as the same belief, which counted
    for one label, it was right on 0.5 % fewer.

    Source: Dawid and Skene 1979; our own prior.
    """
    said = np.eye(n_labels + 1)[ratings][:, :, :n_labels]  # (n, r, k); a missing one is all zeros
    assert (ratings != MISSING).any(axis=1).all()
    votes = said.sum(axis=1)
    probabilities = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(ROUNDS):
        tables = np.einsum("nt,nrk->rtk", probabilities, said)
        tables += PRIOR * _expected_rows(tables)
        tables /= tables.sum(axis=2, keepdims=True)
        share = probabilities.sum(axis=0) + 1
        logs = np.log(share / share.sum()) + np.einsum("nrk,rtk->nt", said, np.log(tables))
        updated = np.exp(logs - logs.max(axis=1, keepdims=True))
        updated /= updated.sum(axis=1, keepdims=True)
        change = np.abs(updated - probabilities).max()
        probabilities = updated
        if change < SETTLED:
            break
    return Skill(probabilities, tables)


def _expected_rows(counts: Floats) -> Floats:
    """Say what rows look like of reviewers who are right on every label as often as at large.

    Args:
        counts: Shape (n_reviewers, n_labels, n_labels), how often each label was given to each.

    Returns:
        The same shape; rows sum to 1.
    """
    n_labels = counts.shape[1]
    right = np.trace(counts, axis1=1, axis2=2) + PRIOR * PRIOR_RIGHT
    accuracy = (right / (counts.sum(axis=(1, 2)) + PRIOR))[:, None, None]
    same = np.eye(n_labels)
    expected: Floats = accuracy * same + (1 - accuracy) / max(1, n_labels - 1) * (1 - same)
    return expected
