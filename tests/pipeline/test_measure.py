import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from hilt.pipeline.measure import measure
from hilt.types import Floats


def sure_of(predicted: list[int], n_labels: int, confidence: float = 1.0) -> Floats:
    rest = (1 - confidence) / (n_labels - 1)
    return np.where(np.eye(n_labels, dtype=bool)[predicted], confidence, rest)


# true 0: predicted 0 0 1; true 1: predicted 1 1; true 2: predicted 0; label 3 never occurs
TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = sure_of([0, 0, 1, 1, 1, 0], 4)


def test_accuracy_is_the_share_that_is_right() -> None:
    measured = measure(PREDICTED, TRUE)

    assert measured.items == 6
    assert measured.accuracy == pytest.approx(4 / 6)


def test_confusion_has_true_labels_in_rows() -> None:
    assert measure(PREDICTED, TRUE).confusion == [
        [2, 1, 0, 0],
        [0, 2, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_macro_f1_averages_over_the_labels_that_occur() -> None:
    by_hand = (2 * 2 / (3 + 3) + 2 * 2 / (2 + 3) + 0) / 3

    assert measure(PREDICTED, TRUE).macro_f1 == pytest.approx(by_hand)


def test_the_interval_is_wilsons() -> None:
    """Of 10 items 8 are right; z is 1.959964.

    Centre (0.8 + z^2/20) / (1 + z^2/10) = 0.716739, half width 0.226576.
    """
    measured = measure(sure_of([0] * 10, 2), np.array([0] * 8 + [1] * 2))

    assert measured.low == pytest.approx(0.490162, abs=1e-5)
    assert measured.high == pytest.approx(0.943318, abs=1e-5)


def test_calibration_error_is_the_gap() -> None:
    """Always 0.75 sure, right in 8 of 10."""
    measured = measure(sure_of([0] * 10, 2, 0.75), np.array([0] * 8 + [1] * 2))

    assert measured.calibration_error == pytest.approx(0.05)
    assert measured.reliability == [{"share": 1.0, "confidence": 0.75, "accuracy": 0.8}]


def test_one_item_can_be_measured() -> None:
    measured = measure(sure_of([1], 2), np.array([1]))

    assert measured.accuracy == 1
    assert measured.low == pytest.approx(0.2065, abs=1e-3)
    assert measured.high == pytest.approx(1)


def test_a_measure_fits_into_json() -> None:
    assert json.loads(json.dumps(measure(PREDICTED, TRUE).to_dict()))["items"] == 6


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(pairs)
def test_macro_f1_agrees_with_scikit_learn(drawn: list[tuple[int, int]]) -> None:
    true, predicted = (np.array(side) for side in zip(*drawn, strict=True))

    measured = measure(sure_of(predicted.tolist(), 4), true)

    expected = f1_score(true, predicted, average="macro", zero_division=0)
    assert measured.macro_f1 == pytest.approx(expected)
    assert 0 <= measured.low <= measured.accuracy <= measured.high <= 1
    assert np.sum(measured.confusion) == len(drawn)
