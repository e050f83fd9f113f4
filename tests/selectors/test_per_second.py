from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.errors import DataError
from hilt.selectors.margin import Margin
from hilt.selectors.per_second import PerSecond
from hilt.types import SelectionView


@pytest.fixture
def view(make_view: Callable[..., SelectionView]) -> SelectionView:
    """Four items, unsure by 0.8, 0.6, 0.4 and 0.2, that take 40, 10, 10 and 1 seconds."""
    doubt = np.array([0.8, 0.6, 0.4, 0.2])
    probabilities = np.column_stack([1 - doubt / 2, doubt / 2])
    return make_view(np.eye(4), probabilities, seconds=np.array([40.0, 10.0, 10.0, 1.0]))


def pick(view: SelectionView, k: int, shortlist: int) -> list[int]:
    selection = PerSecond(shortlist=shortlist).select(view, k, np.random.default_rng(0))
    return [int(index) for index in selection.indices]


def test_value_is_divided_by_seconds(view: SelectionView) -> None:
    # .8 / 40 = .02, .6 / 10 = .06, .4 / 10 = .04, .2 / 1 = .2
    selection = PerSecond().select(view, 3, np.random.default_rng(0))

    assert selection.indices.tolist() == [3, 1, 2]
    np.testing.assert_allclose(selection.scores, [0.2, 0.06, 0.04], rtol=1e-6)


def test_what_is_not_on_the_shortlist_does_not_win_by_being_quick(view: SelectionView) -> None:
    assert pick(view, 1, shortlist=2) == [1]
    assert pick(view, 1, shortlist=4) == [3]


def test_without_seconds_it_is_the_other_selector(view: SelectionView) -> None:
    unknown = replace(view, seconds=None)
    plain = Margin().select(unknown, 2, np.random.default_rng(0))

    assert pick(unknown, 2, shortlist=2) == plain.indices.tolist()


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan])
def test_a_time_that_cannot_be_is_refused(view: SelectionView, seconds: float) -> None:
    broken = replace(view, seconds=np.array([40.0, 10.0, seconds, 1.0]))

    with pytest.raises(DataError, match=r"Item 2 is predicted to take .* it must be above 0"):
        pick(broken, 1, shortlist=4)
