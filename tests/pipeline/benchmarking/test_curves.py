"""What is read off learning curves."""

import numpy as np
import pytest

from hilt.pipeline.benchmarking.curves import (
    Curve,
    area,
    interval,
    labels_to,
    mean_labels_to,
    ratio,
    tally,
)
from hilt.types import Floats

LABELS = np.array([10, 20, 30, 40])


def curve(*rows: list[float], start: float | None = None) -> Curve:
    accuracy = np.array(rows)
    return Curve(LABELS, accuracy, accuracy, np.tile(LABELS / 10.0, (len(rows), 1)), start)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("accuracy", "target", "expected"),
    [
        ([0.5, 0.6, 0.7, 0.8], 0.7, 30),
        ([0.5, 0.6, 0.7, 0.8], 0.65, 25),
        ([0.5, 0.6, 0.7, 0.8], 0.4, 10),
        ([0.5, 0.6, 0.7, 0.8], 0.9, None),
        # a lucky point that does not last is averaged with what follows
        ([0.5, 0.9, 0.5, 0.8], 0.75, 35),
    ],
)
def test_labels_to_a_target_are_counted_where_the_curve_stays(
    accuracy: list[float], target: float, expected: float | None
) -> None:
    assert labels_to(LABELS, np.array(accuracy), target) == pytest.approx(expected, abs=0.01)


def test_what_the_proposals_reach_needs_no_labels() -> None:
    assert mean_labels_to(curve([0.8, 0.8, 0.8, 0.9], start=0.7), 0.7) == 0
    assert mean_labels_to(curve([0.8, 0.8, 0.8, 0.9], start=0.6), 0.7) == pytest.approx(5)


def test_a_ratio_compares_means_and_has_an_interval_around_it() -> None:
    quick = curve([0.6, 0.8, 0.9, 0.9], [0.7, 0.8, 0.8, 0.9], [0.5, 0.8, 0.9, 0.9])
    slow = curve([0.5, 0.6, 0.7, 0.8], [0.4, 0.6, 0.8, 0.8], [0.5, 0.6, 0.7, 0.8])

    found = ratio(quick, slow, 0.8, rng())

    assert found["ratio"] == pytest.approx(0.5)
    assert found["low"] <= 0.5 <= found["high"]
    assert found["at_most"] is None


def test_a_target_that_only_the_other_misses_bounds_the_ratio() -> None:
    found = ratio(curve([0.7, 0.8, 0.9, 0.9]), curve([0.1, 0.2, 0.3, 0.4]), 0.8, rng())

    assert found["ratio"] is None
    assert found["at_most"] == 0.5


def test_a_target_that_is_missed_has_no_ratio() -> None:
    found = ratio(curve([0.1, 0.2, 0.3, 0.4]), curve([0.7, 0.8, 0.9, 0.9]), 0.8, rng())

    assert set(found.values()) == {None}


def test_one_seed_has_no_interval() -> None:
    low, high = interval(np.array([[0.5, 0.6]]))

    assert low.tolist() == high.tolist() == [0.5, 0.6]


def test_more_agreement_between_seeds_narrows_the_interval() -> None:
    def width(values: Floats) -> float:
        low, high = interval(values)
        return float((high - low)[0])

    assert width(np.array([[0.5], [0.6], [0.55]])) > width(np.array([[0.55], [0.56], [0.55]])) > 0


def test_an_area_is_the_mean_height_of_the_curve() -> None:
    x = np.array([[10.0, 30.0]])

    assert area(x, np.array([[0.0, 1.0]]), 30) == pytest.approx(0.5)
    assert area(x, np.array([[1.0, 1.0]]), 100) == pytest.approx(1.0)


def test_seeds_are_won_tied_and_lost() -> None:
    first, second = np.array([0.9, 0.8, 0.7]), np.array([0.8, 0.8, 0.9])

    assert tally(first, second) == {"wins": 1, "ties": 1, "losses": 1}
