"""How much each proposer counts, with and without labels."""

import numpy as np
import pytest

from hilt.pipeline.calibration import pool_logarithmically
from hilt.pipeline.fusion import agreement_weights, vote_accuracies, weigh
from hilt.types import Floats, Integers

N_LABELS = 4
PRIOR = np.array([1.0, 0.5, 0.5])


def truth(n: int) -> Integers:
    return np.random.default_rng(0).integers(N_LABELS, size=n)


def proposer(positions: Integers, accuracy: float, seed: int, confidence: float = 0.8) -> Floats:
    """Say the truth as often as `accuracy`, and another label at random otherwise."""
    rng = np.random.default_rng(seed)
    wrong = (positions + rng.integers(1, N_LABELS, size=len(positions))) % N_LABELS
    said = np.where(rng.random(len(positions)) < accuracy, positions, wrong)
    rest = (1 - confidence) / (N_LABELS - 1)
    return np.where(np.eye(N_LABELS, dtype=bool)[said], confidence, rest).astype(np.float32)


def accuracy(probabilities: Floats, positions: Integers) -> float:
    return float((probabilities.argmax(axis=1) == positions).mean())


def test_votes_alone_say_how_often_each_voter_is_right() -> None:
    positions = truth(2000)
    rates = (0.9, 0.7, 0.5)
    votes = np.stack([proposer(positions, r, s).argmax(axis=1) for s, r in enumerate(rates)])

    assert vote_accuracies(votes, N_LABELS) == pytest.approx(rates, abs=0.05)


def test_a_voter_may_abstain() -> None:
    positions = truth(2000)
    votes = np.stack([proposer(positions, 0.8, s).argmax(axis=1) for s in range(4)])
    votes[3, ::2] = -1

    assert vote_accuracies(votes, N_LABELS) == pytest.approx([0.8] * 4, abs=0.05)


def test_without_labels_a_proposer_that_agrees_with_nobody_counts_nothing() -> None:
    positions = truth(1000)
    proposals = np.stack([proposer(positions, rate, s) for s, rate in enumerate((0.8, 0.8, 0.25))])

    weights = agreement_weights(proposals)

    assert weights.sum() == pytest.approx(1)
    assert weights[2] < 0.05


@pytest.mark.parametrize("m", [1, 2])
def test_one_or_two_proposers_count_alike_without_labels(m: int) -> None:
    proposals = np.stack([proposer(truth(50), 0.8, seed) for seed in range(m)])

    assert agreement_weights(proposals) == pytest.approx([1 / m] * m)


def test_proposers_that_answer_different_items_count_alike() -> None:
    proposals = np.stack([proposer(truth(90), 0.8, seed) for seed in range(3)])
    for number in range(3):
        proposals[number, np.arange(90) % 3 != number] = np.nan

    assert agreement_weights(proposals) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("rate", [0.25, 0.0])
@pytest.mark.parametrize("student_rate", [0.7, 0.99])
def test_labels_turn_a_bad_proposer_down_to_nothing(rate: float, student_rate: float) -> None:
    positions = truth(100)
    student = proposer(positions, student_rate, 1)
    proposals = np.stack([proposer(positions, 0.7, 2), proposer(positions, rate, 3, 0.97)])

    weights = weigh([student, *proposals], positions, PRIOR)

    assert weights[2] < 0.06
    assert weights[1] > 5 * weights[2]


def test_the_fused_proposal_is_no_worse_than_the_best_single_one() -> None:
    positions, fresh = truth(200), truth(4000)
    rates = (0.85, 0.6, 0.25)
    student, *proposals = (proposer(positions, rate, s) for s, rate in enumerate(rates))
    weights = weigh([student, *proposals], positions, PRIOR)

    unseen = [proposer(fresh, rate, 10 + s) for s, rate in enumerate(rates)]
    fused = pool_logarithmically(unseen, weights)

    assert accuracy(fused, fresh) > accuracy(unseen[0], fresh) - 0.01


def test_abstentions_neither_help_nor_hurt_a_weight() -> None:
    positions = truth(100)
    student, other = proposer(positions, 0.7, 1), proposer(positions, 0.8, 2)
    half = other.copy()
    half[::2] = np.nan

    weights = weigh([student, half], positions, np.ones(2))

    assert 0 < weights[1] < 2
    assert np.isfinite(pool_logarithmically([student, half], weights)).all()


def test_a_proposer_that_is_undecided_outvotes_nobody_by_the_order_of_labels() -> None:
    positions = truth(400)
    good = [proposer(positions, 0.9, seed) for seed in range(3)]
    undecided = np.full_like(good[0], 1 / N_LABELS)

    *others, last = agreement_weights(np.stack([*good, undecided]))
    *shuffled, last_of_them = agreement_weights(np.stack([*good, undecided])[:, :, ::-1])

    assert others == pytest.approx(shuffled)
    assert last == pytest.approx(last_of_them)
