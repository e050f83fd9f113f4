from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors.contrastive import Contrastive, mean_divergence
from hilt.types import Floats, SelectionView

Make = Callable[..., SelectionView]


def directions(*degrees: float) -> Floats:
    """Unit vectors in a plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_the_divergence_runs_from_the_labelled_item_to_the_candidate() -> None:
    known = np.array([[0.5, 0.5], [0.9, 0.1]])
    own = np.array([[0.8, 0.2]])
    first = 0.5 * np.log(0.5 / 0.8) + 0.5 * np.log(0.5 / 0.2)
    second = 0.9 * np.log(0.9 / 0.8) + 0.1 * np.log(0.1 / 0.2)

    assert mean_divergence(known, np.array([[0]]), own)[0] == pytest.approx(first)
    assert mean_divergence(known, np.array([[0, 1]]), own)[0] == pytest.approx((first + second) / 2)


def test_equal_distributions_do_not_diverge() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=5)

    np.testing.assert_allclose(mean_divergence(rows, np.arange(5)[:, None], rows), 0, atol=1e-12)


def test_what_is_judged_otherwise_than_its_labelled_neighbour_comes_first(make_view: Make) -> None:
    # Items 0 and 1 are labelled. Item 3 is as sure as item 2, but of the other label than the
    # labelled item beside it; item 4 is unsure beside an unsure one.
    rows = directions(0, 180, 10, 20, 170)
    probabilities = [[0.9, 0.1], [0.5, 0.5], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]
    view = replace(
        make_view(rows, probabilities, near_duplicate=1.0),
        labelled=np.array([0, 1]),
        labels=np.array([0, 1]),
        candidates=np.array([2, 3, 4]),
    )

    selection = Contrastive(neighbours=1).select(view, 3, np.random.default_rng(0))

    assert selection.indices[0] == 3
    divergence = 0.9 * np.log(9) - 0.1 * np.log(9)
    np.testing.assert_allclose(selection.scores, [1 - np.exp(-divergence), 0, 0], atol=1e-6)


def test_an_impossible_label_leaves_the_score_finite(make_view: Make) -> None:
    view = replace(
        make_view(directions(0, 10), [[1, 0], [0, 1]]),
        labelled=np.array([0]),
        labels=np.array([0]),
        candidates=np.array([1]),
    )

    (score,) = Contrastive().select(view, 1, np.random.default_rng(0)).scores

    assert 0.99 < score <= 1
