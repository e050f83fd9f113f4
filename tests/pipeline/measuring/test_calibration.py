import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilt.distributions import softmax
from hilt.metrics import expected_calibration_error
from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.types import Floats
from tests.drawn_distributions import logits, sample, sharpen


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


@settings(max_examples=40)
@given(logits, st.integers(0, 2))
def test_a_temperature_stays_within_its_bounds(rows: Floats, position: int) -> None:
    temperature = fit_temperature(softmax(rows), np.full(len(rows), position))

    assert 0.2 <= temperature <= 5
