"""Rows of items that have one each, and of items that have several or none."""

import numpy as np

from hilt.rows import Rows

RAGGED = Rows(np.arange(10, dtype=np.float32).reshape(5, 2), np.array([0, 2, 2, 5]))


def test_items_are_taken_with_all_of_their_rows() -> None:
    taken = RAGGED.take(np.array([2, 1, 0]))

    assert len(taken) == 3
    assert taken.of(0).tolist() == [[4, 5], [6, 7], [8, 9]]
    assert taken.of(1).shape == (0, 2)
    assert taken.of(2).tolist() == [[0, 1], [2, 3]]
    assert Rows(RAGGED.values).take(np.array([3])).values.tolist() == [[6, 7]]


def test_rows_are_added_up_and_averaged_by_item() -> None:
    of_rows = np.array([1.0, 2.0, 3.0, 4.0, 8.0])

    assert RAGGED.sums(of_rows).tolist() == [3, 0, 15]
    assert RAGGED.means(of_rows).tolist() == [1.5, 0, 5]
    assert Rows(RAGGED.values).sums(of_rows).tolist() == of_rows.tolist()


def test_a_nan_is_that_of_its_own_item() -> None:
    of_rows = np.array([np.nan, 2.0, 3.0, 4.0, 8.0])

    assert np.isnan(RAGGED.sums(of_rows)).tolist() == [True, False, False]


def test_an_item_is_answered_unless_all_of_its_rows_are_nan() -> None:
    values = np.array([[np.nan] * 2, [np.nan] * 2, [0.5, 0.5], [np.nan] * 2, [1, 0]])

    assert Rows(values, np.array([0, 2, 2, 5])).answered.tolist() == [False, True, True]
    assert Rows(values).answered.tolist() == [False, False, True, False, True]
