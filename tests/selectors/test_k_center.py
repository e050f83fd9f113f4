"""Farthest first, on pools small enough to work out by hand, and beside the textbook."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.rows import Rows
from hilt.selectors import k_center
from hilt.selectors.k_center import KCenter, farthest_first
from hilt.tasks.single import Single
from hilt.types import Floats, Integers, SelectionView

Make = Callable[..., SelectionView]


def directions(*degrees: float) -> Floats:
    """Unit vectors in a plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def with_labels(view: SelectionView, labelled: list[int]) -> SelectionView:
    return replace(
        view,
        labelled=np.array(labelled),
        labels=np.zeros(len(labelled), dtype=np.int64),
        candidates=np.setdiff1d(view.candidates, labelled),
    )


def textbook(rows: Floats, known: list[int], k: int) -> list[int]:
    """Compare every item with the newest centre after every pick."""
    picked: list[int] = []
    nearest = (rows @ rows[known].T).max(axis=1)
    for _ in range(k):
        nearest[known + picked] = np.inf
        picked.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, rows @ rows[picked[-1]])
    return picked


def pick(view: SelectionView, k: int) -> Integers:
    return KCenter().select(view, k, np.random.default_rng(0)).indices


def test_the_farthest_comes_first_and_then_what_is_farthest_from_both(make_view: Make) -> None:
    view = make_view(directions(0, 10, 170, 80, 60), np.full((5, 2), 0.5), near_duplicate=1)

    selection = KCenter().select(with_labels(view, [0]), 3, np.random.default_rng(0))

    assert selection.indices.tolist() == [2, 3, 4]  # 170; then 80, 80 from 0; then 60, 20 from 80
    halves = np.radians([170, 80, 20]) / 2
    np.testing.assert_allclose(selection.scores, np.sin(halves), rtol=1e-5)
    assert selection.reasons == ("coverage",) * 3


def test_without_labels_the_first_pick_is_the_most_central(make_view: Make) -> None:
    view = make_view(directions(0, 5, 10, 100), np.full((4, 2), 0.5))

    assert pick(view, 2).tolist() == [2, 3]


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 12))
def test_the_lazy_picks_are_those_of_the_textbook(seed: int, n_known: int, front: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(120, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    known = rng.choice(120, n_known, replace=False).tolist()
    view = SelectionView(
        embeddings=rows,
        proposal=Rows(np.full((120, 2), 0.5)),
        task=Single(("yes", "no")),
        candidates=np.setdiff1d(np.arange(120), known),
        labelled=np.array(known),
        labels=np.zeros(n_known, dtype=np.int64),
        groups=np.arange(120),
        near_duplicate=2,
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(k_center, "FRONT", front)
        patch.setattr(k_center, "AT_ONCE", 5)
        picked, _ = farthest_first(view, rows[known], 20)

    assert picked.tolist() == textbook(rows, known, 20)


def test_indices_are_those_of_the_pool_wherever_labelled_items_stand(make_pool: Make) -> None:
    # small-text's function of this name gives other picks when labelled items are not the first.
    view = replace(with_labels(make_pool(100), [3, 50, 97]), near_duplicate=1.0)

    assert pick(view, 10).tolist() == textbook(view.embeddings, [3, 50, 97], 10)


def test_a_copy_of_a_labelled_item_comes_last(make_view: Make) -> None:
    # A cosine distance computed from float32 rows is NaN for some copies, and wins every argmax.
    rows = np.random.default_rng(0).normal(size=(30, 48)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[10:20] = rows[:10]
    view = with_labels(make_view(rows, np.full((30, 2), 0.5)), list(range(10)))

    selection = KCenter().select(view, 20, np.random.default_rng(0))

    assert sorted(selection.indices[:10]) == list(range(20, 30))
    assert sorted(selection.indices[10:]) == list(range(10, 20))
    assert selection.reasons == ("coverage",) * 10 + ("uncertain",) * 10


def test_what_is_taken_counts_as_covered(make_view: Make) -> None:
    view = make_view(directions(0, 90, 95, 170), np.full((4, 2), 0.5))
    taken = replace(with_labels(view, [0]), taken=np.array([3]), candidates=np.array([1, 2]))

    assert pick(taken, 1).tolist() == [1]  # 80 from 170 and 90 from 0; item 2 is 75 from 170
