"""Coverage by a kernel, on pools small enough to work out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hilt.selectors.max_herding import MaxHerding
from hilt.types import Floats, SelectionView

Make = Callable[..., SelectionView]


def directions(*degrees: float) -> Floats:
    """Unit vectors in a plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def pick(view: SelectionView, k: int, **settings: int | float) -> list[int]:
    selection = MaxHerding(**settings).select(view, k, np.random.default_rng(0))  # type: ignore[arg-type]
    return [int(index) for index in selection.indices]


def test_the_middle_of_the_larger_bundle_comes_first(make_view: Make) -> None:
    rows = directions(0, 10, 20, 150, 160, 80)
    view = make_view(rows, np.full((6, 2), 0.5), near_duplicate=1)

    assert pick(view, 2, radius=0.5)[0] == 1
    assert pick(view, 2, radius=0.5)[1] in (3, 4)


def test_scores_are_the_gains_in_mean_nearness(make_view: Make) -> None:
    view = make_view(directions(0, 60, 180), np.full((3, 2), 0.5))

    selection = MaxHerding().select(view, 3, np.random.default_rng(0))

    # Squared distances: 1 from 0 to 60, 3 from 60 to 180, 4 from 0 to 180.
    e = np.exp
    assert selection.indices.tolist() == [1, 2, 0]
    gains = [1 + e(-1.0) + e(-3.0), 1 - e(-3.0), 1 - e(-1.0)]
    np.testing.assert_allclose(selection.scores, np.array(gains) / 3, rtol=1e-5)


def test_what_a_label_covers_is_not_asked_about(make_view: Make) -> None:
    view = make_view(directions(0, 2, 4, 90), np.full((4, 2), 0.5), near_duplicate=1)
    labelled = replace(
        view, labelled=np.array([1]), labels=np.array([0]), candidates=np.array([0, 2, 3])
    )

    assert pick(labelled, 1) == [3]


def test_a_larger_pool_is_sampled(make_pool: Make) -> None:
    assert len(set(pick(make_pool(200), 40, sample=50))) == 40
