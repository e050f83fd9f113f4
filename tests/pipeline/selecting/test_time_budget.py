"""Filling the minutes that people have."""

from collections.abc import Callable

import numpy as np
import pytest

from hilt.pipeline.selecting.time_budget import fit_to_budget
from hilt.types import Floats, Reason, Selection

Compose = Callable[[int], list[Selection]]


def selection(indices: range, reason: Reason) -> Selection:
    return Selection(
        np.array(indices, dtype=np.int64), np.ones(len(indices)), (reason,) * len(indices)
    )


def audit_size(size: int) -> int:
    return round(size / 4)


def composer(available: int = 1000) -> Compose:
    """Audit items from 1000 on, a quarter of the batch; chosen ones from 0."""

    def compose(size: int) -> list[Selection]:
        n_audit = audit_size(size)
        chosen = range(min(size - n_audit, available))
        return [selection(range(1000, 1000 + n_audit), "audit"), selection(chosen, "uncertain")]

    return compose


def filled(seconds: Floats, budget: float, available: int = 1000) -> tuple[int, int, float]:
    parts = fit_to_budget(composer(available), seconds, budget)
    total = sum(float(seconds[part.indices].sum()) for part in parts)
    assert all(len(part.scores) == len(part.reasons) == len(part) for part in parts)
    return len(parts[0]), len(parts[1]), total


def test_equal_items_divide_the_time() -> None:
    assert filled(np.full(2000, 5.0), 600) == (30, 90, 600)


@pytest.mark.parametrize("budget", [60, 299, 600, 3000])
def test_the_time_is_filled_and_not_exceeded_when_the_chosen_are_slow(budget: float) -> None:
    rng = np.random.default_rng(0)
    seconds = np.exp(rng.normal(size=2000)) * np.where(np.arange(2000) < 1000, 12.0, 4.0)

    n_audit, n_chosen, total = filled(seconds, budget)

    assert min(0.95 * budget, budget - seconds.max()) <= total <= budget
    assert abs(n_audit - (n_audit + n_chosen) / 4) <= 2


def test_items_that_are_quicker_than_most_are_more() -> None:
    seconds = np.where(np.arange(2000) < 1000, 2.0, 20.0)
    n_audit, n_chosen, total = filled(seconds, 650)

    assert n_audit + n_chosen > 650 / 11
    assert 0.95 * 650 <= total <= 650


def test_a_batch_has_at_least_one_item() -> None:
    n_audit, n_chosen, _ = filled(np.full(2000, 300.0), 10)

    assert n_audit + n_chosen == 1


def test_a_pool_that_runs_out_is_asked_to_its_end() -> None:
    _, n_chosen, total = filled(np.full(2000, 5.0), 3600, available=20)

    assert n_chosen == 20
    assert total <= 3600
