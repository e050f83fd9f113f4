from collections.abc import Callable

import numpy as np

from hilt.selectors.margin import Margin
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def test_the_least_certain_come_first(make_view: Make) -> None:
    leads = np.array([0.9, 0.1, 0.5, 0.3])
    view = make_view(np.eye(4), np.stack([0.5 + leads / 2, 0.5 - leads / 2], axis=1))

    selection = Margin().select(view, 3, np.random.default_rng(0))

    assert selection.indices.tolist() == [1, 3, 2]
    np.testing.assert_allclose(selection.scores, [0.9, 0.7, 0.5], rtol=1e-6)
    assert selection.reasons == ("uncertain",) * 3


def test_chance_decides_among_equal_ones(make_view: Make) -> None:
    view = make_view(np.eye(50), np.full((50, 2), 0.5))

    picks = {
        tuple(Margin().select(view, 3, np.random.default_rng(seed)).indices) for seed in range(5)
    }

    assert len(picks) == 5


def test_of_two_alike_the_less_certain_is_picked(make_view: Make) -> None:
    rows = np.array([[1, 0, 0], [0.999, 0.045, 0], [0, 1, 0]])
    view = make_view(rows, np.array([[0.6, 0.4], [0.5, 0.5], [0.9, 0.1]]))

    assert Margin().select(view, 3, np.random.default_rng(0)).indices.tolist() == [1, 2]
