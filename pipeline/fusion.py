"""What several proposers say, combined: how much each counts, with and without labels."""

from __future__ import annotations

import numpy as np

from hilt.pipeline.calibration import fit_pool_weights
from hilt.types import Floats, Integers

LEAST_COMMON_VOTES = 20  # items that three proposers must answer before agreement says anything


def agreement_weights(proposals: Floats) -> Floats:
    """Weigh proposers before there are labels, by how well they agree with each other.

    Fewer than three proposers cannot outvote each other, and count alike.

    Args:
        proposals: Shape (m, n, n_labels); NaN rows are abstentions.

    Returns:
        Shape (m,), not negative, summing to 1: log-odds of each proposer's estimated accuracy
        against guessing.

    Source: Dawid and Skene 1979, with one accuracy per proposer ("one coin"), fitted by crowd-kit;
    the weights are those of the optimal vote of Nitzan and Paroush 1982.
    """
    m, _, n_labels = proposals.shape
    voters, items = np.nonzero(~np.isnan(proposals[:, :, 0]))
    votes = np.bincount(items, minlength=1)
    if m < 3 or (votes >= 3).sum() < LEAST_COMMON_VOTES:
        return np.full(m, 1 / m)
    accuracy = _one_coin(voters, items, proposals[voters, items].argmax(axis=1), m)
    likely = np.clip(accuracy, 1e-3, 0.99)
    weights = np.maximum(np.log(likely * (n_labels - 1) / (1 - likely)), 0)
    return weights / weights.sum() if weights.any() else np.full(m, 1 / m)


def _one_coin(voters: Integers, items: Integers, labels: Integers, m: int) -> Floats:
    import pandas as pd
    from crowdkit.aggregation import OneCoinDawidSkene

    table = pd.DataFrame({"task": items, "worker": voters, "label": labels})
    skills = OneCoinDawidSkene(n_iter=50).fit(table).skills_
    return np.asarray(skills.reindex(range(m)).fillna(0), dtype=np.float64)


def fit_fusion(
    student: Floats, proposals: Floats, positions: Integers, agreement: Floats
) -> Floats:
    """Weigh the student and each proposer on labels that none of them has seen.

    A proposer is first weighed alone. What it is worth there is where its weight beside the others
    starts from, so that one that knows nothing ends at 0 even beside a student that leaves it
    nothing to spoil.

    Args:
        student: Shape (n, n_labels), out of fold.
        proposals: Shape (m, n, n_labels); NaN rows are abstentions.
        positions: Shape (n,), what people said.
        agreement: Shape (m,), from `agreement_weights`.

    Returns:
        Shape (1 + m,), not negative: exponents for `pool_logarithmically`, the student's first.
    """
    alone = [fit_pool_weights([each], positions, np.ones(1))[0] for each in proposals]
    prior = np.array([1.0, *(np.array(alone) * agreement)])
    return fit_pool_weights([student, *proposals], positions, prior)


def fit_proposers(proposals: Floats, positions: Integers, agreement: Floats) -> Floats:
    """Weigh the proposers without the student.

    Args:
        proposals: Shape (m, n, n_labels); NaN rows are abstentions.
        positions: Shape (n,), what people said.
        agreement: Shape (m,), the weights before there were labels.

    Returns:
        Shape (m,), not negative.
    """
    return fit_pool_weights(list(proposals), positions, agreement)
