import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from hilt.distributions import softmax
from hilt.intervals import wilson
from hilt.metrics import calibration_of, expected_calibration_error, measure, reliability
from hilt.types import Floats, Integers, Part
from hilt.values import value_of
from tests.drawn_distributions import logits
from tests.one_label import measured
from tests.toys.words import Words


def sure_of(predicted: list[int], n_labels: int, confidence: float = 1.0) -> Floats:
    rest = (1 - confidence) / (n_labels - 1)
    return np.where(np.eye(n_labels, dtype=bool)[predicted], confidence, rest)


# true 0: predicted 0 0 1; true 1: predicted 1 1; true 2: predicted 0; label 3 never occurs
TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = sure_of([0, 0, 1, 1, 1, 0], 4)


def test_accuracy_is_the_share_that_is_right() -> None:
    found = measured(PREDICTED, TRUE)

    assert found.items == 6
    assert found.accuracy == pytest.approx(4 / 6)


def test_confusion_has_true_labels_in_rows() -> None:
    assert measured(PREDICTED, TRUE).confusion == [
        [2, 1, 0, 0],
        [0, 2, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_macro_f1_averages_over_the_labels_that_occur() -> None:
    by_hand = (2 * 2 / (3 + 3) + 2 * 2 / (2 + 3) + 0) / 3

    assert measured(PREDICTED, TRUE).macro_f1 == pytest.approx(by_hand)


def test_the_interval_is_wilsons() -> None:
    """Of 10 items 8 are right; z is 1.959964.

    Centre (0.8 + z^2/20) / (1 + z^2/10) = 0.716739, half width 0.226576.
    """
    found = measured(sure_of([0] * 10, 2), np.array([0] * 8 + [1] * 2))

    assert found.low == pytest.approx(0.490162, abs=1e-5)
    assert found.high == pytest.approx(0.943318, abs=1e-5)


def test_calibration_error_is_the_gap_less_what_chance_brings() -> None:
    """Always 0.75 sure, right in 3 of 10: a gap of 0.45.

    Binomial(10, 0.75) is 0.111 from its mean on average, and 0.25 at most in 19 cases of 20.
    """
    found = measured(sure_of([0] * 10, 2, 0.75), np.array([0] * 3 + [1] * 7))

    assert found.calibration_error == pytest.approx(0.45 - 0.111, abs=0.005)
    assert found.calibration_limit == pytest.approx(0.25 - 0.111, abs=0.005)
    assert found.reliability == [{"share": 1.0, "confidence": 0.75, "accuracy": 0.3}]


@pytest.mark.parametrize(("items", "raw"), [(20, 0.20), (50, 0.13), (100, 0.09), (300, 0.05)])
def test_a_perfectly_calibrated_model_shows_no_calibration_error(items: int, raw: float) -> None:
    found, errors = [], []
    for seed in range(300):
        probabilities, true = calibrated(items, seed)
        found.append(measured(probabilities, true))
        errors.append(expected_calibration_error(probabilities, true))
    shown = np.array([each.calibration_error for each in found])
    limits = np.array([each.calibration_limit for each in found])

    assert np.mean(errors) == pytest.approx(raw, abs=0.01)
    assert shown.mean() < 0.15 * np.mean(errors)
    assert np.mean(shown > limits) == pytest.approx(0.05, abs=0.04)  # 3.2 standard errors


def test_a_badly_calibrated_model_keeps_its_calibration_error() -> None:
    probabilities, true = calibrated(300, seed=0)
    squared = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)

    found = measured(squared, true)

    assert expected_calibration_error(squared, true) == pytest.approx(0.25, abs=0.04)
    assert found.calibration_error > 0.2
    assert found.calibration_limit < 0.03


def test_a_measure_of_an_older_hilt_is_corrected_by_its_bins() -> None:
    found = measured(PREDICTED, TRUE).to_dict()
    older = {**found, "calibration_error": 1 / 3}
    del older["calibration_limit"]

    told = calibration_of(older)

    assert told == (found["calibration_error"], found["calibration_limit"])
    assert calibration_of({**older, "reliability": []}) == (1 / 3, None)


def test_one_item_can_be_measured() -> None:
    found = measured(sure_of([1], 2), np.array([1]))

    assert found.accuracy == 1
    assert found.low == pytest.approx(0.2065, abs=1e-3)
    assert found.high == pytest.approx(1)


def test_a_measure_fits_into_json() -> None:
    assert json.loads(json.dumps(measured(PREDICTED, TRUE).to_dict()))["items"] == 6


def calibrated(items: int, seed: int) -> tuple[Floats, Integers]:
    """Draw predictions, and true labels as often as the predictions say."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(6, 0.25), items)
    true = (probabilities.cumsum(axis=1) > rng.random(items)[:, None]).argmax(axis=1)
    return probabilities, true


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(pairs)
def test_macro_f1_agrees_with_scikit_learn(drawn: list[tuple[int, int]]) -> None:
    true, predicted = (np.array(side) for side in zip(*drawn, strict=True))

    found = measured(sure_of(predicted.tolist(), 4), true)

    expected = f1_score(true, predicted, average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(expected)
    assert 0 <= found.low <= found.accuracy <= found.high <= 1
    assert np.sum(found.confusion or []) == len(drawn)


def test_bins_agree_with_numbers_worked_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.91, 0.09], [0.36, 0.64], [0.0, 1.0]])

    bins = reliability(np.array([0.95, 0.91, 0.64, 1.0]), np.array([True, False, True, True]))

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

    found = reliability(probabilities.max(axis=1), positions == 0, bins)
    assert sum(row.share for row in found) == pytest.approx(1)
    assert 0 <= expected_calibration_error(probabilities, positions, bins) <= 1


# A task whose answers can be right in part


def test_an_answer_that_is_partly_right_counts_in_part() -> None:
    task = Words(("good", "bad"))
    texts = ["one two", "three"]
    true = [value_of(Part("good", (0, 3)), Part("bad", (4, 7))), ()]
    rows = task.rows.encode([value_of(Part("good", (0, 3))), ()], texts).rows

    found = measure(task, rows, true, texts)

    assert found.accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert found.confusion is None
    assert found.macro_f1 is None
    assert found.low < found.accuracy < found.high


@pytest.mark.parametrize("spread", [0.3, 1.0, 20.0])  # most answers half right, or all or nothing
@pytest.mark.parametrize("mean", [0.3, 0.8, 0.95])
def test_the_interval_of_answers_that_count_in_part_holds_the_mean(
    mean: float, spread: float
) -> None:
    """Scores in [0, 1] spread at most as those that are 0 or 1, for which Wilson's interval is."""
    rng = np.random.default_rng(0)
    drawn = rng.beta(mean / spread, (1 - mean) / spread, size=(4000, 60))

    ends = np.array([wilson(float(scores.sum()), len(scores)) for scores in drawn])
    covered = (ends[:, 0] <= mean) & (mean <= ends[:, 1])

    assert covered.mean() > 0.93
