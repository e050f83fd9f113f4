from collections.abc import Callable

import numpy as np

from hilt.selectors.uniform import Uniform
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def test_every_candidate_is_equally_likely(make_view: Make) -> None:
    view = make_view(np.eye(8), np.full((8, 2), 0.5), candidates=np.array([1, 2, 3, 5, 7]))
    rng = np.random.default_rng(0)

    picks = np.concatenate([Uniform().select(view, 2, rng).indices for _ in range(2000)])

    counts = np.bincount(picks, minlength=8)
    assert counts[[0, 4, 6]].tolist() == [0, 0, 0]
    # 4000 picks over 5 candidates: 800 each, standard deviation about 22
    assert abs(counts[[1, 2, 3, 5, 7]] - 800).max() < 110


def test_scores_are_the_draws_highest_first(make_view: Make) -> None:
    view = make_view(np.eye(8), np.full((8, 2), 0.5))
    draws = np.random.default_rng(4).random(8)

    selection = Uniform().select(view, 8, np.random.default_rng(4))

    np.testing.assert_array_equal(selection.scores, np.sort(draws)[::-1])
    np.testing.assert_array_equal(draws[selection.indices], selection.scores)
    assert selection.reasons == ("random",) * 8
