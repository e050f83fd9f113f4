from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors.arithmetic.ranking import descending, draw, filled_up, highest
from hilt.types import Selection, SelectionView


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 50), st.integers(0, 9))
def test_the_highest_scores_are_found_ties_or_not(values: list[int], count: int, seed: int) -> None:
    scores = np.array(values, dtype=np.float32)

    places = highest(scores, count, np.random.default_rng(seed))

    assert len(set(places.tolist())) == min(count, len(values))
    assert scores[places].tolist() == sorted(values, reverse=True)[:count]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 7))
def test_going_down_meets_every_item_once(values: list[int], first: int) -> None:
    scores = np.array(values, dtype=np.float32)

    places = [p for chunk in descending(scores, first, np.random.default_rng(0)) for p in chunk]

    assert sorted(places) == list(range(len(values)))
    assert scores[places].tolist() == sorted(values, reverse=True)


@given(st.integers(0, 1000))
def test_a_sample_does_not_depend_on_the_order_of_the_pool(seed: int) -> None:
    scores = np.random.default_rng(5).random(50)
    order = np.random.default_rng(seed).permutation(50)
    every = np.arange(50)

    first = draw(every, scores, 20, np.random.default_rng(seed))
    second = draw(every, scores[order], 20, np.random.default_rng(seed))

    assert len(set(first.tolist())) == 20
    assert first.tolist() == order[second].tolist()


def test_a_sample_of_all_is_all_highest_score_first() -> None:
    scores = np.array([0.1, 0.9, 0.5])

    assert draw(np.array([0, 2, 1]), scores, 5, np.random.default_rng(0)).tolist() == [1, 2, 0]


def test_the_most_uncertain_fill_up(make_view: Callable[..., SelectionView]) -> None:
    view = make_view(np.eye(4), np.full((4, 2), 0.5))
    picked = Selection(np.array([2]), np.array([0.7]), ("coverage",))
    scores = np.array([0.1, 0.3, 0.9, 0.2])

    filled = filled_up(view, picked, scores, 3, np.random.default_rng(0))

    assert filled.indices.tolist() == [2, 1, 3]
    assert filled.scores.tolist() == [0.7, 0.3, 0.2]
    assert filled.reasons == ("coverage", "uncertain", "uncertain")
