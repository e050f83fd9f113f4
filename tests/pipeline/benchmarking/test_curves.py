"""What is read off learning curves."""

import math

import numpy as np
import pytest

from hilt.pipeline.benchmarking.curves import (
    LabelsTo,
    area,
    interval,
    labels_to,
    log_ratio_over_budgets,
    rising,
    tally,
)
from hilt.types import Floats

LABELS = np.array([10, 20, 40, 80])
# Means over seeds of TREC in an earlier table of docs/benchmarks.md.
TREC = np.array([25, 50, 75, 100, 150, 200])
CHOSEN = np.array([0.771, 0.845, 0.909, 0.923, 0.917, 0.929])
RANDOM = np.array([0.751, 0.867, 0.896, 0.913, 0.915, 0.917])


@pytest.mark.parametrize(
    ("accuracy", "target", "expected"),
    [
        ([0.5, 0.6, 0.7, 0.8], 0.7, LabelsTo(40)),
        # halfway between two counts is their geometric mean
        ([0.5, 0.6, 0.7, 0.8], 0.65, LabelsTo(math.sqrt(20 * 40))),
        ([0.5, 0.6, 0.7, 0.8], 0.8, LabelsTo(80)),
        # a lucky point that does not last is averaged with what follows: 0.7 at 20 and at 40
        ([0.5, 0.9, 0.5, 0.8], 0.75, LabelsTo(math.sqrt(40 * 80))),
    ],
)
def test_labels_to_a_target_lie_on_a_rising_curve_over_log_labels(
    accuracy: list[float], target: float, expected: LabelsTo
) -> None:
    found = labels_to(LABELS, np.array(accuracy), target)

    assert found.labels == pytest.approx(expected.labels)
    assert found.bound is None


def test_a_target_that_the_first_count_reaches_takes_at_most_so_many_labels() -> None:
    assert labels_to(LABELS, np.array([0.5, 0.6, 0.7, 0.8]), 0.5) == LabelsTo(10, "at_most")


def test_a_target_above_the_curve_takes_more_than_were_labelled() -> None:
    assert labels_to(LABELS, np.array([0.5, 0.6, 0.7, 0.8]), 0.9) == LabelsTo(80, "more_than")


def test_a_curve_that_crossed_by_luck_has_not_crossed() -> None:
    # 92.3 at 100 labels and 91.7 at 150 are 92.0 at both: at 92.1 the curve is later than 150.
    assert rising(CHOSEN)[3:5] == pytest.approx([0.92, 0.92])
    assert 150 < labels_to(TREC, CHOSEN, 0.921).labels < 200


def test_twice_the_labels_everywhere_is_a_half_over_all_budgets() -> None:
    accuracy = np.array([0.5, 0.6, 0.7, 0.8])

    found = log_ratio_over_budgets(LABELS, accuracy, 2 * LABELS, accuracy)

    assert found == pytest.approx(math.log(1 / 2))


def test_the_ratio_over_budgets_is_the_area_between_two_curves() -> None:
    # They are level at 0.5 and a factor of 4 apart at 0.7: on average a factor of 2.
    found = log_ratio_over_budgets(
        np.array([10, 20]), np.array([0.5, 0.7]), np.array([10, 80]), np.array([0.5, 0.7])
    )

    assert found == pytest.approx(math.log(1 / 2))


def test_only_accuracies_that_both_curves_pass_count() -> None:
    # Both pass 0.6 to 0.7: 20 to 40 labels for the one, 80 to 160 for the other.
    found = log_ratio_over_budgets(
        np.array([10, 20, 40]), np.array([0.5, 0.6, 0.7]),
        np.array([80, 160, 320]), np.array([0.6, 0.7, 0.8]),
    )  # fmt: skip

    assert found == pytest.approx(math.log(1 / 4))


def test_curves_that_pass_no_accuracy_in_common_have_no_ratio() -> None:
    low, high = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.4, 0.5, 0.6, 0.7])

    assert log_ratio_over_budgets(LABELS, low, LABELS, high) is None


def test_no_target_turns_the_ratio_over_budgets_over() -> None:
    def to_target(target: float) -> float:
        return labels_to(TREC, CHOSEN, target).labels / labels_to(TREC, RANDOM, target).labels

    def over_budgets(random: Floats) -> float:
        found = log_ratio_over_budgets(TREC, CHOSEN, TREC, random)
        assert found is not None
        return math.exp(found)

    # From half a point the ratio to a target jumps by half ...
    assert to_target(0.917) == pytest.approx(0.46, abs=0.01)
    assert to_target(0.913) == pytest.approx(0.83, abs=0.01)
    # ... and the one over all budgets does not move: chosen labels are level with random ones.
    found = [over_budgets(RANDOM + shift) for shift in (-0.002, 0, 0.002)]
    assert found == pytest.approx([0.96, 0.98, 1.0], abs=0.03)


def test_one_seed_has_no_interval() -> None:
    assert interval(np.array([[0.5, 0.6]])) == (None, None)


def test_more_agreement_between_seeds_narrows_the_interval() -> None:
    def width(values: Floats) -> float:
        low, high = interval(values)
        assert low is not None
        assert high is not None
        return float((high - low)[0])

    assert width(np.array([[0.5], [0.6], [0.55]])) > width(np.array([[0.55], [0.56], [0.55]])) > 0


def test_an_area_is_the_mean_height_of_the_curve() -> None:
    x = np.array([[10.0, 30.0]])

    assert area(x, np.array([[0.0, 1.0]]), 30) == pytest.approx(0.5)
    assert area(x, np.array([[1.0, 1.0]]), 100) == pytest.approx(1.0)


def test_seeds_that_both_have_are_won_tied_and_lost() -> None:
    first, second = np.array([0.9, 0.8, 0.7, 0.1]), np.array([0.8, 0.8, 0.9])

    assert tally(first, second) == {"wins": 1, "ties": 1, "losses": 1}
