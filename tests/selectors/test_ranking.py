import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors.ranking import descending, highest


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
