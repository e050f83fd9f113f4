"""What several proposers say, combined: how much each counts, with and without labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.distributions import clear_label
from hilt.pipeline.calibration import fit_pool_weights, softmax
from hilt.types import Floats, Integers

LEAST_SHARED = 20  # items that three proposers must answer before agreement says anything


def agreement_weights(proposals: Floats) -> Floats:
    """Weigh proposers before there are labels, by how well they agree with each other.

    Fewer than three proposers cannot outvote each other, and count alike.

    Args:
        proposals: Shape (m, n, n_labels); NaN rows are abstentions, as are those whose likeliest
            labels are equal.

    Returns:
        Shape (m,), not negative, summing to 1: log-odds of each proposer's estimated accuracy
        against guessing.

    Source: the weights are those of the optimal vote, Nitzan and Paroush 1982.
    """
    m, _, n_labels = proposals.shape
    votes = clear_label(proposals)
    shared = votes[:, (votes >= 0).sum(axis=0) >= 3]
    if shared.shape[1] < LEAST_SHARED:
        return np.full(m, 1 / m)
    accuracy = vote_accuracies(shared, n_labels)
    weights = np.maximum(np.log(accuracy * (n_labels - 1) / (1 - accuracy)), 0)
    return weights / weights.sum() if weights.any() else np.full(m, 1 / m)


def vote_accuracies(votes: Integers, n_labels: int, rounds: int = 50) -> Floats:
    """Estimate how often each voter is right, from nothing but the votes.

    Args:
        votes: Shape (m, n), label positions, -1 where a voter abstained.
        n_labels: How many labels there are.
        rounds: Of expectation and maximisation.

    Returns:
        Shape (m,), in (0, 1).

    Source: Dawid and Skene 1979, with one accuracy for each voter ("one coin"); errors are spread
    evenly over the other labels, and every label is as likely.
    """
    cast = votes >= 0
    accuracy = np.full(len(votes), 0.7)
    for _ in range(rounds):
        weight = np.log(accuracy * (n_labels - 1) / (1 - accuracy))
        support = np.zeros((votes.shape[1], n_labels))  # log-odds of each label being true
        for voter, (voted, vote) in enumerate(zip(cast, votes, strict=True)):
            support[voted, vote[voted]] += weight[voter]
        truth = softmax(support)
        right = [truth[voted, vote[voted]].sum() for voted, vote in zip(cast, votes, strict=True)]
        accuracy = (np.array(right) + 1) / (cast.sum(axis=1) + 2)  # a prior that keeps off 0 and 1
    return accuracy


def weigh(distributions: Sequence[Floats], positions: Integers, prior: Floats) -> Floats:
    """Weigh several distributions on labels that none of them has seen.

    Each is first weighed alone. That weight is the prior of its weight in the mixture, so that an
    uninformative one ends at 0 even next to one that already explains the labels.

    Args:
        distributions: Each of shape (n, n_labels), a student's out of fold; NaN rows abstain.
        positions: Shape (n,), what people said.
        prior: Shape (n_distributions,), what each would count without labels.

    Returns:
        Shape (n_distributions,), not negative: exponents for `pool_logarithmically`.
    """
    alone = [fit_pool_weights([each], positions, np.ones(1))[0] for each in distributions]
    return fit_pool_weights(distributions, positions, prior * np.array(alone))
