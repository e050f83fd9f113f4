import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.duplicates.stars import Near, find_stars
from hilt.types import Floats, Integers

Pairs = list[tuple[int, int]]


def never(left: Integers, right: Integers) -> npt.NDArray[np.bool_]:
    return np.zeros(len(left), dtype=bool)


def closer_than(places: Floats, distance: float) -> Near:
    return lambda left, right: abs(places[left] - places[right]) <= distance


def stars(n_items: int, pairs: Pairs, near: Near = never) -> list[int]:
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return list(find_stars(n_items, left, right, near).tolist())


def test_items_without_pairs_stand_alone() -> None:
    assert stars(3, []) == [0, 1, 2]


def test_the_item_with_most_near_ones_represents_them() -> None:
    assert stars(5, [(0, 3), (1, 3), (3, 4)]) == [3, 3, 2, 3, 3]


def test_of_equals_the_first_represents() -> None:
    assert stars(4, [(2, 3), (0, 1)]) == [0, 0, 2, 2]


def test_a_chain_is_not_one_group() -> None:
    # 0~1~2~3~4: 1 takes both its ends, and 3 is left for 4
    assert stars(5, [(0, 1), (1, 2), (2, 3), (3, 4)]) == [1, 1, 1, 3, 3]


def test_linked_stars_join_when_all_are_near_one_of_the_representatives() -> None:
    pairs = [(0, 1), (0, 2), (1, 3), (3, 4), (3, 5)]

    assert stars(6, pairs, closer_than(np.zeros(6), 0)) == [3] * 6
    assert stars(6, pairs) == [3 if item in (1, 3, 4, 5) else 0 for item in range(6)]


def test_a_star_joins_whole_or_not_at_all() -> None:
    # 0 and 3 represent; of the items around 0, only 2 is too far from 3
    places = np.array([0.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
    pairs = [(0, 1), (0, 2), (1, 3), (3, 4), (3, 5), (3, 6)]

    assert stars(7, pairs, closer_than(places, 1)) == [0, 3, 0, 3, 3, 3, 3]


def test_many_copies_of_which_each_knows_a_few_become_one_group() -> None:
    n_items, known = 300, 5
    pairs = [(i, (i + step) % n_items) for i in range(n_items) for step in range(1, known + 1)]

    assert len(set(stars(n_items, pairs, closer_than(np.zeros(n_items), 0)))) <= 3


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_every_item_is_near_its_representative(n_items: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.random(n_items)
    near = closer_than(places, 0.1)
    left, right = np.triu_indices(n_items, 1)
    linked = near(left, right) & (rng.random(len(left)) < 0.5)

    centres = find_stars(n_items, left[linked], right[linked], near)

    assert near(np.arange(n_items), centres).all()
    assert (centres[centres] == centres).all()


@pytest.mark.parametrize("shuffle", [1, 2])
def test_the_order_of_pairs_and_of_their_ends_makes_no_difference(shuffle: int) -> None:
    rng = np.random.default_rng(shuffle)
    pairs = np.unique(np.sort(rng.integers(0, 40, size=(80, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    mixed = rng.permuted(rng.permutation(pairs), axis=1)

    first, second = (find_stars(40, each[:, 0], each[:, 1], never) for each in (pairs, mixed))

    assert first.tolist() == second.tolist()
