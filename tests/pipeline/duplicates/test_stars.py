from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.duplicates import stars as module
from hilt.pipeline.duplicates.stars import find_stars
from hilt.types import Floats, Integers

Pairs = list[tuple[int, int]]


class OnALine:
    """Items at places on a line, near each other up to a distance."""

    def __init__(self, places: Floats, distance: float) -> None:
        self.places = places
        self.distance = distance
        self.compared = 0

    def near(self, left: Integers, right: Integers) -> npt.NDArray[np.bool_]:
        self.compared += len(left)
        return np.asarray(abs(self.places[left] - self.places[right]) <= self.distance)

    def closeness(self, items: Integers, parts: Integers) -> Floats:
        sums, counts = np.bincount(parts, self.places[items]), np.bincount(parts)
        return np.asarray(-abs(self.places[items] - (sums / counts)[parts]))


def stars(places: list[float], pairs: Pairs, distance: float = 1.0) -> list[int]:
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return list(find_stars(len(places), left, right, OnALine(np.array(places), distance)))


def test_items_without_pairs_stand_alone() -> None:
    assert stars([0, 0, 0], []) == [0, 1, 2]


def test_of_two_the_first_represents() -> None:
    assert stars([0, 5, 0, 5], [(2, 0), (1, 3)]) == [0, 1, 0, 1]


def test_the_item_in_the_middle_represents() -> None:
    assert stars([0, 2, 1, 9], [(0, 2), (1, 2)]) == [2, 2, 2, 3]


def test_of_equals_in_the_middle_the_first_represents() -> None:
    assert stars([3, 3, 3], [(0, 1), (1, 2)]) == [0, 0, 0]


def test_a_chain_is_not_one_group() -> None:
    # 0~1~2~3~4, each near the next alone: the middle takes its neighbours, the ends stand alone
    assert stars([0, 1, 2, 3, 4], [(0, 1), (1, 2), (2, 3), (3, 4)]) == [0, 2, 2, 2, 4]


def test_many_copies_of_which_each_knows_a_few_are_one_group() -> None:
    n_items, known = 300, 5
    pairs = [(i, (i + step) % n_items) for i in range(n_items) for step in range(1, known + 1)]

    assert set(stars([0.0] * n_items, pairs)) == {0}


def test_what_is_linked_but_far_from_the_middle_makes_a_group_of_its_own() -> None:
    # two crowds, each around its own place, with one link between them
    places = [0.0] * 5 + [3.0] * 3
    pairs = [*pairwise(range(5)), *pairwise(range(5, 8)), (4, 5)]

    assert stars(places, pairs) == [0] * 5 + [5] * 3


def test_the_rest_of_a_long_chain_is_covered_along_its_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ROUNDS", 1)
    chain = [float(place) for place in range(11)]

    # the middle, 5, takes 4 and 6; of each end with four left, one inside takes both its own
    assert stars(chain, [*pairwise(range(11))]) == [1, 1, 1, 3, 5, 5, 5, 8, 8, 8, 10]


def test_no_item_is_compared_with_many() -> None:
    likeness = OnALine(np.arange(400.0), 1)
    left = np.arange(399)

    centres = find_stars(400, left, left + 1, likeness)

    assert likeness.compared < 10 * 400
    assert (abs(np.arange(400) - centres) <= 1).all()


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_every_item_is_near_its_representative(n_items: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    likeness = OnALine(rng.random(n_items), 0.1)
    left, right = np.triu_indices(n_items, 1)
    linked = likeness.near(left, right) & (rng.random(len(left)) < 0.5)

    centres = find_stars(n_items, left[linked], right[linked], likeness)

    assert likeness.near(np.arange(n_items), centres).all()
    assert (centres[centres] == centres).all()


@pytest.mark.parametrize("shuffle", [1, 2])
def test_the_order_of_pairs_and_of_their_ends_makes_no_difference(shuffle: int) -> None:
    rng = np.random.default_rng(shuffle)
    pairs = np.unique(np.sort(rng.integers(0, 40, size=(80, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    mixed = rng.permuted(rng.permutation(pairs), axis=1)
    likeness = OnALine(rng.random(40), 0.3)

    first, second = (find_stars(40, each[:, 0], each[:, 1], likeness) for each in (pairs, mixed))

    assert first.tolist() == second.tolist()
