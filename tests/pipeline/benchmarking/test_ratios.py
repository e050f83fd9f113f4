"""How many labels one arm needs of what another needs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hilt.pipeline.benchmarking.ratios import (
    Ratio,
    geometric_mean,
    jackknife_t,
    ratio_over_budgets,
    ratio_to_target,
)

LABELS = np.array([10, 20, 40, 80])
SLOW = [0.5, 0.6, 0.7, 0.8]


def test_a_jackknife_interval_by_hand() -> None:
    # Mean 0, squares 0.01 + 0 + 0.01; 2/3 of their sum has the root 0.1155; t(2) = 4.3027.
    found = jackknife_t(0.5, np.array([-0.1, 0.0, 0.1]))

    half = 4.3027 * math.sqrt(2 / 3 * 0.02)
    assert found == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)


@pytest.mark.parametrize("left_out", [[], [0.1], [0.1, 0.2], [0.1, 0.2, math.nan]])
def test_two_seeds_or_a_missing_estimate_have_no_interval(left_out: list[float]) -> None:
    assert jackknife_t(0.1, np.array(left_out)) is None


def test_the_jackknife_of_a_mean_is_students_t() -> None:
    values = np.random.default_rng(0).normal(size=6)
    left_out = (values.sum() - values) / 5

    low, high = jackknife_t(float(values.mean()), left_out) or (0, 0)

    assert (high - low) / 2 == pytest.approx(2.5706 * values.std(ddof=1) / math.sqrt(6), rel=1e-4)


def test_a_ratio_compares_mean_curves_and_has_an_interval_around_it() -> None:
    quick = np.array([[0.6, 0.8, 0.9, 0.9], [0.7, 0.8, 0.8, 0.9], [0.5, 0.8, 0.9, 0.9]])
    slow = np.array([[0.5, 0.6, 0.7, 0.9], [0.4, 0.6, 0.8, 0.9], [0.5, 0.6, 0.6, 0.8]])

    found = ratio_to_target(LABELS, quick, LABELS, slow, 0.8)

    # quick is at 0.8 with 20 labels; slow's mean has 0.7 at 40 and 0.8667 at 80.
    assert found.value is not None
    assert found.value == pytest.approx(20 / (40 * 2 ** (0.1 / (0.2 - 0.1 / 3))))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert (found.bound, found.n, found.open) == (None, 3, False)


def test_seeds_that_differ_by_a_factor_alone_have_the_factor_for_sure() -> None:
    rng = np.random.default_rng(1)
    slow = np.sort(rng.uniform(0.4, 0.9, size=(4, 4)), axis=1)

    found = ratio_over_budgets(LABELS, slow, 3 * LABELS, slow)

    assert [found.low, found.value, found.high] == pytest.approx([1 / 3] * 3)


def test_seeds_of_one_arm_alone_do_not_count() -> None:
    slow, more = np.array([SLOW] * 3), np.array([SLOW] * 3 + [[0.1, 0.1, 0.1, 0.1]] * 2)

    found = ratio_to_target(LABELS, slow, LABELS, more, 0.65)

    assert (found.value, found.n) == (1, 3)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ([0.7, 0.8, 0.9, 0.9], [0.1, 0.2, 0.3, 0.4], Ratio(20 / 80, "at_most", n=1)),
        ([0.8, 0.8, 0.9, 0.9], [0.1, 0.7, 0.8, 0.9], Ratio(10 / 40, "at_most", n=1)),
        ([0.8, 0.8, 0.9, 0.9], [0.1, 0.2, 0.3, 0.4], Ratio(10 / 80, "at_most", n=1)),
        ([0.1, 0.2, 0.3, 0.4], [0.7, 0.8, 0.9, 0.9], Ratio(80 / 20, "at_least", n=1)),
        ([0.7, 0.8, 0.9, 0.9], [0.8, 0.8, 0.9, 0.9], Ratio(20 / 10, "at_least", n=1)),
        ([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.5], Ratio(None, n=1)),
        ([0.8, 0.8, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], Ratio(None, n=1)),
    ],
)
def test_ratios_of_bounds_are_bounds_or_nothing(
    mine: list[float], theirs: list[float], expected: Ratio
) -> None:
    found = ratio_to_target(LABELS, np.array([mine]), LABELS, np.array([theirs]), 0.8)

    assert found.value == pytest.approx(expected.value)
    assert replace(found, value=expected.value) == expected


def test_an_interval_is_open_where_a_ratio_hangs_on_one_seed() -> None:
    quick, lucky = np.array([[0.7, 0.9, 0.9, 0.9]] * 3), np.array([SLOW, SLOW, [0.5, 0.6, 0.8, 1]])

    found = ratio_to_target(LABELS, quick, LABELS, lucky, 0.82)

    assert found.value is not None
    assert found.bound is None
    assert (found.low, found.high, found.open) == (None, None, True)


def test_curves_that_pass_no_accuracy_in_common_have_no_ratio() -> None:
    found = ratio_over_budgets(LABELS, np.array([SLOW]), LABELS, np.array([SLOW]) - 0.4)

    assert found == Ratio(None, n=1)


def test_a_geometric_mean_has_a_t_interval_over_the_sets() -> None:
    found = geometric_mean([Ratio(0.5), Ratio(1.0), Ratio(2.0)])

    half = math.exp(4.3027 * math.log(2) / math.sqrt(3))
    assert [found.low, found.value, found.high] == pytest.approx([1 / half, 1, half], rel=1e-4)
    assert found.n == 3


def test_a_geometric_mean_with_a_bound_is_a_bound_without_an_interval() -> None:
    found = geometric_mean([Ratio(0.5), Ratio(0.25, "at_most"), Ratio(1.0)])

    assert found == Ratio(0.5, "at_most", n=3)


@pytest.mark.parametrize(
    "ratios",
    [[Ratio(0.5), Ratio(None)], [Ratio(0.5, "at_most"), Ratio(2.0, "at_least")]],
)
def test_bounds_of_both_kinds_and_gaps_have_no_mean(ratios: list[Ratio]) -> None:
    assert geometric_mean(ratios) == Ratio(None, n=2)


def test_two_sets_have_a_mean_and_no_interval() -> None:
    assert geometric_mean([Ratio(0.5), Ratio(2.0)]) == Ratio(1.0, n=2)
