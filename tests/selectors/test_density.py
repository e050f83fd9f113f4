from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors.density import Density, density
from hilt.selectors.margin import Margin
from hilt.types import Floats, Graph, SelectionView

Make = Callable[..., SelectionView]


def directions(*degrees: float) -> Floats:
    """Unit vectors in a plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def unsure_by(*doubt: float) -> Floats:
    return np.column_stack([1 - np.array(doubt) / 2, np.array(doubt) / 2])


def test_density_is_the_mean_cosine_to_the_neighbours_that_there_are() -> None:
    neighbours = np.array([[1, 2, 0], [0, 2, -1], [-1, -1, -1], [1, 2, 3]])
    cosines = np.array([[0.8, 0.6, 0.1], [0.8, 0.2, -1], [-1, -1, -1], [-0.2, -0.4, -1]])

    found = density(Graph(neighbours, cosines), np.array([3, 0, 1, 2]), 2)

    np.testing.assert_allclose(found, [0, 0.7, 0.5, 0], atol=1e-6)


@pytest.mark.parametrize("has_graph", [True, False])
def test_an_outlier_comes_after_what_is_nearly_as_uncertain(
    make_view: Make, make_pool: Make, has_graph: bool
) -> None:
    rows = directions(0, 4, 8, 120)
    graph = Graph(
        np.array([[1, 2], [0, 2], [1, 0], [2, 1]]),
        np.cos(np.radians([[4, 8], [4, 4], [4, 8], [112, 116]])),
    )
    view = make_view(rows, unsure_by(0.5, 0.7, 0.6, 0.9), near_duplicate=2)
    view = replace(view, graph=graph if has_graph else None)

    assert Density(neighbours=2).select(view, 1, np.random.default_rng(0)).indices.tolist() == [1]
    assert Margin().select(view, 1, np.random.default_rng(0)).indices.tolist() == [3]


def test_a_copy_is_as_dense_as_the_item_that_stands_for_it(make_view: Make) -> None:
    graph = Graph(np.array([[1], [0], [-1], [-1]]), np.array([[0.8], [0.8], [-1.0], [-1.0]]))
    view = replace(
        make_view(directions(0, 30, 0, 90), unsure_by(0.5, 0.5, 0.5, 0.9)),
        graph=graph,
        groups=np.array([0, 1, 0, 3]),
        candidates=np.array([2, 3]),
    )

    selection = Density(neighbours=1).select(view, 2, np.random.default_rng(0))

    assert selection.indices.tolist() == [2, 3]
    np.testing.assert_allclose(selection.scores, [0.4, 0], rtol=1e-6)


def test_with_no_power_it_is_margin(make_pool: Make) -> None:
    pool = make_pool(100)

    plain = Margin().select(pool, 20, np.random.default_rng(0))

    selection = Density(power=0).select(pool, 20, np.random.default_rng(0))
    assert selection.indices.tolist() == plain.indices.tolist()
