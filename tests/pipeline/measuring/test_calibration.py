import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hilt.pipeline.measuring.calibration import (
    expected_calibration_error,
    fit_pool_weights,
    fit_temperature,
    log_of,
    negative_log_likelihood,
    pool_logarithmically,
    reliability,
    softmax,
)
from hilt.types import Floats, Integers

PRIOR = np.array([1.0, 1.0])
logits = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(-500, 500, width=32)
)


def sample(n: int, sharpness: float, seed: int = 0) -> tuple[Floats, Integers]:
    """Draw distributions over three labels, and labels that follow them exactly."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(sharpness * rng.normal(size=(n, 3)))
    return probabilities, (probabilities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 2)


def sharpen(probabilities: Floats, factor: float) -> Floats:
    return softmax(np.float32(factor) * log_of(probabilities))


@given(logits)
def test_softmax_rows_sum_to_one_however_large_the_logits(rows: Floats) -> None:
    probabilities = softmax(rows)

    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def test_softmax_agrees_with_numbers_worked_by_hand() -> None:
    assert softmax(np.log([[1.0, 3.0], [0.5, 0.5]])).tolist() == pytest.approx(
        np.array([[0.25, 0.75], [0.5, 0.5]])
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_logarithm_is_float32_and_finite_even_at_zero(dtype: type) -> None:
    logs = log_of(np.array([[0.0, 1.0]], dtype=dtype))

    assert logs.dtype == np.float32
    assert logs.tolist() == [[pytest.approx(np.log(1e-6)), 0.0]]


def test_the_likelihood_of_what_happened_counts() -> None:
    losses = negative_log_likelihood(np.array([[0.25, 0.75], [1.0, 0.0]]), np.array([0, 0]))

    assert losses == pytest.approx([np.log(4), 0.0])


# Pooling


@given(logits, st.floats(0, 3), st.floats(0, 3))
def test_a_pooled_distribution_sums_to_one(rows: Floats, first: float, second: float) -> None:
    one, other = softmax(rows), softmax(-rows)

    pooled = pool_logarithmically([one, other], np.array([first, second]))

    assert pooled.dtype == np.float32
    assert np.allclose(pooled.sum(axis=1), 1, atol=1e-5)


@given(logits, st.floats(0, 3))
def test_the_order_of_distributions_does_not_matter(rows: Floats, weight: float) -> None:
    one, other = softmax(rows), softmax(rows[:, ::-1])

    pooled = pool_logarithmically([one, other], np.array([1, weight]))
    turned = pool_logarithmically([other, one], np.array([weight, 1]))

    assert np.allclose(pooled, turned, atol=1e-5)


def test_pooling_multiplies() -> None:
    one, other = np.array([[0.5, 0.25, 0.25]]), np.array([[0.2, 0.4, 0.4]])

    assert pool_logarithmically([one, other], PRIOR)[0] == pytest.approx([1 / 3] * 3)
    assert pool_logarithmically([one, other], np.array([2, 0]))[0] == pytest.approx(
        [2 / 3, 1 / 6, 1 / 6]
    )


def test_half_precision_proposals_pool_as_well() -> None:
    proposals = sample(100, 2)[0].astype(np.float16)

    pooled = pool_logarithmically([proposals, proposals], np.array([0.5, 0.5]))

    assert np.allclose(pooled, proposals, atol=2e-3)


def test_a_zero_alone_does_not_decide() -> None:
    pooled = pool_logarithmically([np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])], PRIOR)

    assert pooled[0] == pytest.approx([0.5, 0.5])


# Temperature


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_overconfident_predictions_are_cooled(factor: float) -> None:
    probabilities, positions = sample(2000, 1)

    assert fit_temperature(sharpen(probabilities, factor), positions) == pytest.approx(
        factor, rel=0.15
    )


def test_timid_predictions_are_heated() -> None:
    probabilities, positions = sample(2000, 1)

    assert fit_temperature(sharpen(probabilities, 0.5), positions) == pytest.approx(0.5, rel=0.15)


def test_a_temperature_makes_predictions_calibrated() -> None:
    probabilities, positions = sample(2000, 1)
    sure = sharpen(probabilities, 4)

    cooled = sharpen(sure, 1 / fit_temperature(sure, positions))

    assert expected_calibration_error(cooled, positions) < 0.05
    assert expected_calibration_error(sure, positions) > 0.15


def test_without_labels_the_temperature_is_one() -> None:
    nothing = np.empty((0, 3), dtype=np.float32)

    assert fit_temperature(nothing, np.empty(0, dtype=int)) == pytest.approx(1, abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(logits, st.integers(0, 2))
def test_a_temperature_stays_within_its_bounds(rows: Floats, position: int) -> None:
    temperature = fit_temperature(softmax(rows), np.full(len(rows), position))

    assert 0.2 <= temperature <= 5


# Weights


def test_without_labels_the_weights_are_the_prior() -> None:
    nothing = [np.empty((0, 3), dtype=np.float32)] * 2

    weights = fit_pool_weights(nothing, np.empty(0, dtype=int), np.array([1.0, 0.4]))

    assert weights.tolist() == [1.0, 0.4]


def test_a_distribution_that_knows_nothing_is_turned_down() -> None:
    good, positions = sample(1000, 2)
    noise = sample(1000, 2, seed=1)[0]

    weights = fit_pool_weights([good, noise], positions, PRIOR)

    assert weights[0] == pytest.approx(1, abs=0.2)
    assert weights[1] < 0.1


def test_the_same_distribution_twice_shares_the_weight() -> None:
    good, positions = sample(1000, 2)

    weights = fit_pool_weights([good, good], positions, PRIOR)

    assert weights[0] == pytest.approx(weights[1], abs=1e-3)
    assert weights.sum() == pytest.approx(1, abs=0.2)


def test_a_few_labels_move_the_weights_only_a_little() -> None:
    good, positions = sample(3, 2)
    noise = sample(3, 2, seed=1)[0]

    assert fit_pool_weights([good, noise], positions, PRIOR) == pytest.approx(PRIOR, abs=0.5)


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


@settings(deadline=None, max_examples=40)
@given(logits, st.integers(0, 2))
def test_weights_are_finite_and_not_negative(rows: Floats, position: int) -> None:
    one = softmax(rows).astype(np.float16)
    weights = fit_pool_weights([one, one[:, ::-1]], np.full(len(rows), position), PRIOR)

    assert np.isfinite(weights).all()
    assert ((weights >= 0) & (weights <= 3)).all()


# Reliability


def test_bins_agree_with_numbers_worked_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.91, 0.09], [0.36, 0.64], [0.0, 1.0]])

    bins = reliability(probabilities, np.array([0, 1, 1, 1]))

    assert [row.share for row in bins] == [0.25, 0.75]
    assert [row.confidence for row in bins] == pytest.approx([0.64, 2.86 / 3])
    assert [row.accuracy for row in bins] == pytest.approx([1.0, 2 / 3])
    assert expected_calibration_error(probabilities, np.array([0, 1, 1, 1])) == pytest.approx(
        0.25 * 0.36 + 0.75 * 0.86 / 3
    )


@given(logits, st.integers(1, 20))
def test_shares_sum_to_one_and_the_error_is_a_share(rows: Floats, bins: int) -> None:
    probabilities = softmax(rows)
    positions = np.zeros(len(rows), dtype=int)

    assert sum(row.share for row in reliability(probabilities, positions, bins)) == pytest.approx(1)
    assert 0 <= expected_calibration_error(probabilities, positions, bins) <= 1
