"""What rows of probabilities say, ties included, and how they are combined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt import distributions as module
from hilt.distributions import (
    NO_LABEL,
    batch_calibrate,
    clear_label,
    log_of,
    negative_log_likelihood,
    pool_logarithmically,
    softmax,
)
from hilt.types import Floats
from tests.drawn_distributions import distributions, logits, sample


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("row", "label"),
    [
        ((0.5, 0.5), NO_LABEL),
        ((0.4, 0.2, 0.4), NO_LABEL),
        ((0.1 + 0.2, 0.3, 0.4 - 0.0), 2),
        ((0.3, 0.1 + 0.2, 0.0), NO_LABEL),
        ((0.499, 0.501), 1),
        ((0.0, 0.0), NO_LABEL),
        ((np.nan, np.nan), NO_LABEL),
        ((1.0,), 0),
    ],
)
def test_a_tie_has_no_label(row: tuple[float, ...], label: int, dtype: type) -> None:
    assert clear_label(np.array([row], dtype=dtype)).tolist() == [label]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any), st.randoms())
def test_the_order_of_the_labels_decides_nothing(counts: list[int], random: object) -> None:
    order = list(range(len(counts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    rows = np.array(counts) / sum(counts)

    label, shuffled = int(clear_label(rows)), int(clear_label(rows[order]))

    assert (NO_LABEL if shuffled == NO_LABEL else order[shuffled]) == label


def test_any_shape_is_read() -> None:
    rows = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5))

    assert np.array_equal(clear_label(rows), rows.argmax(axis=2))


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

    assert pool_logarithmically([one, other], np.ones(2))[0] == pytest.approx([1 / 3] * 3)
    assert pool_logarithmically([one, other], np.array([2, 0]))[0] == pytest.approx(
        [2 / 3, 1 / 6, 1 / 6]
    )


def test_half_precision_proposals_pool_as_well() -> None:
    proposals = sample(100, 2)[0].astype(np.float16)

    pooled = pool_logarithmically([proposals, proposals], np.array([0.5, 0.5]))

    assert np.allclose(pooled, proposals, atol=2e-3)


def test_a_zero_alone_does_not_decide() -> None:
    pooled = pool_logarithmically([np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])], np.ones(2))

    assert pooled[0] == pytest.approx([0.5, 0.5])


# Batch calibration


@given(distributions())
def test_a_uniform_mean_leaves_probabilities_unchanged(probabilities: Floats) -> None:
    n_labels = probabilities.shape[1]

    calibrated = batch_calibrate(probabilities, np.full(n_labels, 1 / n_labels))

    np.testing.assert_allclose(calibrated, probabilities, rtol=1e-4, atol=1e-6)


@given(distributions())
def test_calibrated_rows_sum_to_one(probabilities: Floats) -> None:
    calibrated = batch_calibrate(probabilities, probabilities.mean(axis=0))

    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-5)
    assert (calibrated >= 0).all()


@given(distributions())
def test_calibration_makes_an_average_item_uniform(probabilities: Floats) -> None:
    mean = probabilities.mean(axis=0)

    calibrated = batch_calibrate(mean[None], mean)

    np.testing.assert_allclose(calibrated, 1 / len(mean), atol=1e-4)


@given(distributions())
def test_calibration_keeps_the_order_of_items_within_a_pair_of_labels(
    probabilities: Floats,
) -> None:
    calibrated = batch_calibrate(probabilities, probabilities.mean(axis=0))

    before = np.log(probabilities[:, 0]) - np.log(probabilities[:, 1])
    after = np.log(calibrated[:, 0]) - np.log(calibrated[:, 1])
    np.testing.assert_allclose(after - after[0], before - before[0], atol=1e-3)


def test_a_label_that_nothing_leans_to_stays_at_zero() -> None:
    probabilities = np.array([[0.75, 0.25, 0], [0.25, 0.75, 0]], dtype=np.float16)

    calibrated = batch_calibrate(probabilities, np.array([0.5, 0.5, 0]))

    np.testing.assert_allclose(calibrated, probabilities, atol=1e-6)


def test_a_label_that_takes_everything_gives_no_nan() -> None:
    probabilities = np.array([[1, 0], [1, 0]], dtype=np.float16)

    assert batch_calibrate(probabilities, np.array([1.0, 0.0])).tolist() == [[1, 0], [1, 0]]


def test_no_rows_are_calibrated_to_none() -> None:
    assert batch_calibrate(np.empty((0, 3), np.float32), np.full(3, 1 / 3)).shape == (0, 3)


def test_many_rows_are_calibrated_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sample(7, 1)[0]
    whole = batch_calibrate(rows, rows.mean(axis=0))
    monkeypatch.setattr(module, "CALIBRATED_ROWS", 3)

    np.testing.assert_allclose(batch_calibrate(rows, rows.mean(axis=0)), whole, rtol=1e-6)
