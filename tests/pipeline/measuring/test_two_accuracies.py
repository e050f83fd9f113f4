"""How good a student is on items like the pool, and on what is left of it."""

import numpy as np
import pytest

from hilt.intervals import wilson
from hilt.pipeline.measuring.two_accuracies import accuracy_on_the_pool, accuracy_on_the_rest


def bits(right: int, wrong: int) -> np.ndarray:
    return np.arange(right + wrong) < right


def test_the_audit_tells_the_accuracy_on_items_like_the_pool() -> None:
    found = accuracy_on_the_pool(bits(45, 5))

    assert (found.items, found.accuracy) == (50, 0.9)
    assert (found.low, found.high) == wilson(45, 50)


def test_the_hard_items_that_were_taken_out_are_no_part_of_the_rest() -> None:
    # Of 1,000 items 90 % are right, so 95 of the 950 not drawn are wrong: 40 of them were taken.
    found = accuracy_on_the_rest(bits(45, 5), bits(60, 40), 1000)

    assert found is not None
    assert found.accuracy == pytest.approx(1 - 55 / 850)
    low, high = wilson(0.9 * 47.5, 47.5)  # 50 of 1,000 say as much of the 950 as 47.5 would of many
    assert found.low == pytest.approx((950 * low - 60) / 850)
    assert found.high == pytest.approx(min((950 * high - 60) / 850, 1))


def test_where_nothing_was_chosen_the_rest_is_like_the_pool() -> None:
    pool, rest = bits(45, 5), bits(0, 0)

    found = accuracy_on_the_rest(pool, rest, 100_000)

    assert found is not None
    assert found.to_dict() == pytest.approx(accuracy_on_the_pool(pool).to_dict(), abs=1e-3)


def test_nothing_is_said_of_a_rest_that_is_not_there() -> None:
    assert accuracy_on_the_rest(bits(45, 5), bits(60, 40), 150) is None


@pytest.mark.parametrize("items", [1000, 200])  # of the pool; of 200, 60 are many
def test_both_intervals_hold_where_the_hard_items_are_taken(items: int) -> None:
    rng = np.random.default_rng(0)
    chance = np.repeat([0.6, 0.95], [items * 3 // 10, items * 7 // 10])  # the first are hard
    held = {"pool": 0, "rest": 0}
    runs = 1000
    for _ in range(runs):
        right = rng.random(items) < chance
        order = rng.permutation(items)
        kept = order[: max(60, items * 15 // 100)]
        drawn, taken = kept[:60], np.setdiff1d(np.arange(items // 5), kept)
        left = np.setdiff1d(np.arange(items), np.concatenate([drawn, taken]))
        pool = accuracy_on_the_pool(right[drawn])
        rest = accuracy_on_the_rest(right[drawn], right[taken], items)
        assert rest is not None
        held["pool"] += pool.low <= chance.mean() <= pool.high
        held["rest"] += rest.low <= right[left].mean() <= rest.high

    assert held["pool"] / runs == pytest.approx(0.955, abs=0.02)
    assert held["rest"] / runs == pytest.approx(0.955, abs=0.02)
