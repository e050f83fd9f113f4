"""How much each proposer counts, with and without labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilt.distributions import negative_log_likelihood, pool_logarithmically, softmax
from hilt.metrics import expected_calibration_error
from hilt.pipeline.proposing.fusion import (
    Trust,
    fit_pool_weights,
    trust_without_labels,
    vote_accuracies,
    weigh,
)
from hilt.types import Floats, Integers
from tests.drawn_distributions import logits, sample, sharpen

N_LABELS = 4
PRIOR = Trust(np.ones(3), np.array([1.0, 0.5, 0.5]))


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

    weights = trust_without_labels(proposals).exponents

    assert weights[2] < 0.05 * weights[0]


def test_one_proposer_is_taken_at_its_word() -> None:
    assert trust_without_labels(proposer(truth(50), 0.8, 0)[None]).exponents.tolist() == [1.0]


def test_of_two_proposers_the_sharper_one_does_not_decide() -> None:
    positions = truth(4000)
    vague, sharp = proposer(positions, 0.8, 0, 0.4), proposer(positions, 0.8, 1, 0.999)

    trust = trust_without_labels(np.stack([vague, sharp]))

    for rows, exponent in zip((vague, sharp), trust.exponents, strict=True):
        sure = pool_logarithmically([rows], np.array([exponent])).max(axis=1).mean()
        assert sure == pytest.approx(0.8, abs=0.02)


def test_proposers_that_answer_different_items_are_taken_at_their_word() -> None:
    proposals = np.stack([proposer(truth(90), 0.8, seed) for seed in range(3)])
    for number in range(3):
        proposals[number, np.arange(90) % 3 != number] = np.nan

    assert trust_without_labels(proposals).exponents.tolist() == [1.0] * 3


def evidence(positions: Integers, gain: float, noise: Floats, temperature: float = 1.0) -> Floats:
    """See the truth through noise, and say so: calibrated at temperature 1, vague above."""
    seen = noise.copy()
    seen[np.arange(len(positions)), positions] += gain
    return softmax(gain * seen / temperature)


def one_hot(rows: Floats) -> Floats:
    said: Floats = np.eye(N_LABELS, dtype=np.float32)[rows.argmax(axis=1)]
    return said


def noise(seed: int, n: int = 4000) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, N_LABELS))


GAIN = {0.6: 1.24, 0.7: 1.62, 0.8: 2.08, 0.85: 2.36}  # what makes evidence that often right


def test_skill_decides_and_not_sharpness() -> None:
    """Two soft proposers of .85 beside a one-hot one of .7: by sharpness they fuse to .70."""
    positions = truth(4000)
    soft = [evidence(positions, GAIN[0.85], noise(seed), 4.0) for seed in (1, 2)]
    proposals = np.stack([*soft, one_hot(evidence(positions, GAIN[0.7], noise(3)))])

    fused = pool_logarithmically([*proposals], trust_without_labels(proposals).exponents)

    assert accuracy(fused, positions) > 0.93
    assert expected_calibration_error(fused, positions) < 0.02


def test_copies_do_not_vouch_for_each_other() -> None:
    """Two copies of .6 beside .85 and .8: Dawid and Skene alone trust the copies most."""
    positions, first = truth(4000), noise(1)
    copies = [evidence(positions, GAIN[0.6], first + 0.1 * noise(seed)) for seed in (2, 3)]
    others = [evidence(positions, GAIN[rate], noise(seed)) for rate, seed in ((0.85, 4), (0.8, 5))]
    proposals = np.stack([*copies, *others])

    trust = trust_without_labels(proposals)
    fused = pool_logarithmically([*proposals], trust.exponents)

    assert trust.shares.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert accuracy(fused, positions) > 0.9


@pytest.mark.parametrize("share", [1.0, 0.97])
def test_proposers_that_always_say_one_label_do_not_vouch_for_each_other(share: float) -> None:
    positions = truth(2000)
    rng = np.random.default_rng(0)
    idle = [
        one_hot(np.eye(N_LABELS)[np.where(rng.random(2000) < share, 1, rng.integers(4, size=2000))])
        for _ in range(2)
    ]
    proposals = np.stack([*idle, one_hot(evidence(positions, GAIN[0.8], noise(1, 2000)))])

    trust = trust_without_labels(proposals)

    assert trust.shares.tolist() == [0.0, 0.0, 1.0]


def test_in_a_pool_of_nearly_one_label_proposers_that_agree_count() -> None:
    positions = (np.random.default_rng(0).random(2000) < 0.05).astype(int)
    proposals = np.stack([proposer(positions, 0.97, seed) for seed in range(3)])

    assert trust_without_labels(proposals).shares.tolist() == [1.0] * 3


def test_two_proposers_are_compared_where_both_answer() -> None:
    positions = truth(2000)
    proposals = np.stack([proposer(positions, 0.85, seed) for seed in range(3)])
    proposals[0, 1040:] = proposals[1, :1000] = proposals[2, 10:] = np.nan

    exponent = trust_without_labels(proposals).exponents[0]

    sure = pool_logarithmically([proposals[0, :1040]], np.array([exponent])).max(axis=1).mean()
    assert sure == pytest.approx(0.85, abs=0.05)


def test_a_proposer_is_as_sure_as_it_is_right_where_it_alone_answers() -> None:
    positions = truth(4000)
    proposals = np.stack(
        [evidence(positions, GAIN[0.8], noise(s), t) for s, t in enumerate((1.0, 3.0, 0.5))]
    )
    proposals[np.random.default_rng(9).random((3, 4000)) < 0.5] = np.nan
    alone = (~np.isnan(proposals[:, :, 0])).sum(axis=0) == 1

    fused = pool_logarithmically([*proposals], trust_without_labels(proposals).exponents)[alone]

    assert fused.max(axis=1).mean() == pytest.approx(accuracy(fused, positions[alone]), abs=0.03)


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

    weights = weigh([student, half], positions, Trust(np.ones(2), np.ones(2)))

    assert 0 < weights[1] < 2
    assert np.isfinite(pool_logarithmically([student, half], weights)).all()


def test_a_proposer_that_is_undecided_outvotes_nobody_by_the_order_of_labels() -> None:
    positions = truth(400)
    good = [proposer(positions, 0.9, seed) for seed in range(3)]
    undecided = np.full_like(good[0], 1 / N_LABELS)

    *others, last = trust_without_labels(np.stack([*good, undecided])).exponents
    turned = np.stack([*good, undecided])[:, :, ::-1]
    *shuffled, last_of_them = trust_without_labels(turned).exponents

    assert others == pytest.approx(shuffled)
    assert last == pytest.approx(last_of_them)


def test_without_labels_the_weights_are_the_prior() -> None:
    nothing = [np.empty((0, 3), dtype=np.float32)] * 2

    weights = fit_pool_weights(nothing, np.empty(0, dtype=int), np.array([1.0, 0.4]))

    assert weights.tolist() == [1.0, 0.4]


def test_a_distribution_that_knows_nothing_is_turned_down() -> None:
    good, positions = sample(1000, 2)
    noise = sample(1000, 2, seed=1)[0]

    weights = fit_pool_weights([good, noise], positions, np.ones(2))

    assert weights[0] == pytest.approx(1, abs=0.2)
    assert weights[1] < 0.1


def test_the_same_distribution_twice_shares_the_weight() -> None:
    good, positions = sample(1000, 2)

    weights = fit_pool_weights([good, good], positions, np.ones(2))

    assert weights[0] == pytest.approx(weights[1], abs=1e-3)
    assert weights.sum() == pytest.approx(1, abs=0.2)


def test_a_few_labels_move_the_weights_only_a_little() -> None:
    good, positions = sample(3, 2)
    noise = sample(3, 2, seed=1)[0]

    assert fit_pool_weights([good, noise], positions, np.ones(2)) == pytest.approx(
        np.ones(2), abs=0.5
    )


def test_weights_are_the_optimum() -> None:
    """Against a search on a grid, which knows nothing of the slope."""
    good, positions = sample(200, 1)
    other = sharpen(sample(200, 1, seed=2)[0], 2)
    prior = np.array([1.0, 0.5])

    def loss(weights: Floats) -> float:
        pooled = pool_logarithmically([good, other], weights)
        misfit = negative_log_likelihood(pooled, positions).sum()
        return float(misfit + 10 * ((weights - prior) ** 2).sum())

    weights = fit_pool_weights([good, other], positions, prior)
    around = [weights + np.array([x, y]) for x in (-0.02, 0, 0.02) for y in (-0.02, 0, 0.02)]

    assert loss(weights) <= min(loss(each.clip(0)) for each in around) + 1e-2


@settings(max_examples=40)
@given(logits, st.integers(0, 2))
def test_weights_are_finite_and_not_negative(rows: Floats, position: int) -> None:
    one = softmax(rows).astype(np.float16)
    weights = fit_pool_weights([one, one[:, ::-1]], np.full(len(rows), position), np.ones(2))

    assert np.isfinite(weights).all()
    assert ((weights >= 0) & (weights <= 3)).all()
