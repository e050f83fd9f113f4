from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors.arithmetic import distinct as duplicates
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def in_plane(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_the_order_is_kept_and_what_is_alike_passed_over(make_view: Make) -> None:
    # cos 10 = .985, cos 20 = .940: neighbours are alike, the next but one is not
    view = make_view(in_plane(0, 10, 20, 30, 90), np.full((5, 2), 0.5))

    assert pick_distinct(view, [np.array([1, 0, 2, 3, 4])], 3).tolist() == [1, 3, 4]


def test_the_same_text_is_passed_over_whatever_its_embedding(make_view: Make) -> None:
    view = make_view(np.eye(4), np.full((4, 2), 0.5), groups=np.array([7, 8, 7, 9]))

    assert pick_distinct(view, [np.arange(4)], 4).tolist() == [0, 1, 3]


def test_what_is_taken_counts_as_picked(make_view: Make) -> None:
    view = make_view(in_plane(0, 10, 90), np.full((3, 2), 0.5), taken=np.array([0]))

    assert pick_distinct(view, [np.arange(3)], 3).tolist() == [2]


def test_at_cosine_1_equal_float16_rows_are_still_alike(make_view: Make) -> None:
    rows = np.random.default_rng(0).normal(size=(1, 384)).astype(np.float16)
    view = make_view(np.tile(rows, (3, 1)), np.full((3, 2), 0.5), near_duplicate=1.0)

    assert pick_distinct(view, [np.arange(3)], 3).tolist() == [0]


def test_chunks_and_blocks_make_no_difference(
    make_pool: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = replace(make_pool(300, d=3), near_duplicate=0.9)
    at_once = pick_distinct(view, [np.arange(300)], 20)
    monkeypatch.setattr(duplicates, "BLOCK", 5)

    np.testing.assert_array_equal(
        pick_distinct(view, np.array_split(np.arange(300), 11), 20), at_once
    )


def test_no_more_is_drawn_than_needed(make_pool: Make) -> None:
    chunks = iter([np.arange(10), np.arange(10, 20), np.arange(20, 30)])

    pick_distinct(make_pool(30), chunks, 10)

    assert len(list(chunks)) >= 1
