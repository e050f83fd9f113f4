"""Uncertainty herding, on pools small enough to work out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from hilt.rows import Rows
from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.herding import Herding
from hilt.types import Floats, SelectionView
from tests.selectors.proposing import single_of


def directions(*degrees: float) -> Floats:
    """Unit vectors in a plane."""
    angles = np.radians(np.array(degrees, dtype=np.float32))
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def view_of(degrees: list[float], doubt: list[float], labelled: list[int]) -> SelectionView:
    """Items around a circle, each unsure by as much as `doubt` says."""
    first = 1 - np.array(doubt, dtype=np.float32) / 2
    rows = np.column_stack([first, 1 - first])
    n = len(degrees)
    return SelectionView(
        embeddings=directions(*degrees),
        proposal=Rows(rows),
        task=single_of(rows),
        candidates=np.setdiff1d(np.arange(n), labelled),
        labelled=np.array(labelled),
        labels=np.zeros(len(labelled), dtype=np.int64),
        groups=np.arange(n),
        near_duplicate=1.0,
    )


def pick(view: SelectionView, k: int) -> list[int]:
    return [int(index) for index in Herding().select(view, k, np.random.default_rng(0)).indices]


def test_the_middle_of_a_doubtful_cluster_comes_before_a_doubtful_outlier() -> None:
    view = view_of([0, 40, 88, 90, 92, 180], [0, 0, 0.8, 0.8, 0.8, 0.9], labelled=[0, 1])

    assert pick(view, 2) == [3, 5]


def test_what_is_certain_is_not_worth_covering() -> None:
    view = view_of([0, 40, 88, 90, 92, 180], [0, 0, 0.01, 0.01, 0.01, 0.9], labelled=[0, 1])

    assert pick(view, 1) == [5]


def test_what_a_label_covers_is_not_asked_about() -> None:
    view = view_of([0, 3, 100, 130], [0, 1.0, 0.5, 0], labelled=[0, 3])

    assert pick(view, 1) == [2]


def test_a_pick_larger_than_a_round_is_made_in_several(
    make_pool: Callable[..., SelectionView],
) -> None:
    pool = make_pool(240)
    view = SelectionView(
        embeddings=pool.embeddings,
        proposal=pool.proposal,
        task=pool.task,
        candidates=pool.candidates[2:],
        labelled=np.arange(2),
        labels=np.zeros(2, dtype=np.int64),
        groups=pool.groups,
        near_duplicate=pool.near_duplicate,
    )

    selection = Herding(sample=100).select(view, 90, np.random.default_rng(0))

    assert len(np.unique(selection.indices)) == 90
    assert set(selection.reasons) == {"uncertain"}


@pytest.mark.parametrize(("n_labels", "herded"), [(4, False), (30, True)])
def test_the_first_batch_covers_the_pool_itself_where_there_are_many_labels(
    make_pool: Callable[..., SelectionView], n_labels: int, herded: bool
) -> None:
    view = make_pool(240, n_labels=n_labels)
    rng = np.random.default_rng

    first = Herding().select(view, 40, rng(0))

    same = first.indices.tolist() == first_batch(view, 40, rng(0)).indices.tolist()
    assert set(first.reasons) == {"coverage"}
    assert same is not herded
