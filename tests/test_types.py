"""The fused proposal as selectors see it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hilt import types
from hilt.errors import DataError
from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.types import Floats, SelectionView
from hilt.uncertainty import margin

Make = Callable[[Floats], SelectionView]


@pytest.fixture
def make_view() -> Make:
    """A view of items of which nothing but the proposal matters."""

    def make(rows: Floats) -> SelectionView:
        everything, nothing = np.arange(len(rows)), np.empty(0, dtype=np.int64)
        task = Single(tuple(map(str, range(rows.shape[1]))))
        return SelectionView(
            rows, Rows(rows), task, everything, nothing, nothing, groups=everything
        )

    return make


def test_doubt_is_that_of_the_items_that_are_asked_for_in_their_order(make_view: Make) -> None:
    view = make_view(np.array([[0.5, 0.5], [1.0, 0.0], [0.75, 0.25]], dtype=np.float16))

    np.testing.assert_array_equal(view.doubt("margin", np.array([2, 0])), [0.5, 1.0])


def test_doubt_is_read_from_a_read_only_memory_map_over_several_blocks(
    make_view: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(types, "AT_ONCE", 7)
    values = np.random.default_rng(0).dirichlet(np.ones(3), size=50).astype(np.float16)
    np.save(tmp_path / "fused.npy", values)
    view = make_view(np.load(tmp_path / "fused.npy", mmap_mode="r"))

    scores = view.doubt("margin", np.arange(50))

    np.testing.assert_array_equal(scores, margin(values.astype(np.float32)))
    np.testing.assert_array_equal(view.strata(np.arange(50)), values.argmax(axis=1))
    assert scores.dtype == np.float32


def test_a_proposal_with_nan_is_refused_by_its_index(make_view: Make) -> None:
    view = make_view(np.array([[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]]))

    for measure in ("margin", "least_confident", "entropy"):
        with pytest.raises(DataError, match="proposal for item 1 contains NaN"):
            view.doubt(measure, np.array([2, 1]))


def test_the_stratum_is_the_first_of_equally_likely_labels(make_view: Make) -> None:
    view = make_view(np.array([[0.2, 0.4, 0.4], [0.1, 0.1, 0.8]], dtype=np.float16))

    assert view.strata(np.array([1, 0])).tolist() == [2, 1]
