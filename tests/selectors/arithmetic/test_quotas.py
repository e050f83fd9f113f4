import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors.arithmetic import quotas as module
from hilt.selectors.arithmetic.quotas import quotas

COUNTS = st.lists(st.integers(0, 200), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("counts", "k", "expected"),
    [
        ([10, 10], 4, [2, 2]),
        ([5, 90, 40], 2, [0, 1, 1]),
        ([1, 1, 100], 10, [1, 1, 8]),
        ([0, 3], 9, [0, 3]),
        ([2, 50], 1, [0, 1]),
    ],
)
def test_places_are_shared(counts: list[int], k: int, expected: list[int]) -> None:
    assert quotas(np.array(counts), k).tolist() == expected


def test_the_example_in_the_documentation_is_true() -> None:
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0


@given(COUNTS, st.integers(1, 60))
def test_all_places_go_to_groups_with_members_for_them(counts: list[int], k: int) -> None:
    places = quotas(np.array(counts), k)

    assert places.sum() == min(k, sum(counts))
    assert (places <= counts).all()
    assert (places > 0).sum() == min(k, np.count_nonzero(counts))
