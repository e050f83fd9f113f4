from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hilt.selectors.arithmetic.sampling import nearest_cosines, pick_from_samples, read_sample
from hilt.types import Floats, Integers, SelectionView

Make = Callable[..., SelectionView]


def test_what_is_like_the_taken_is_not_open(make_view: Make) -> None:
    rows = np.array([[1, 0], [1, 0.01], [0, 1], [0, -1]])
    view = make_view(rows, np.full((4, 2), 0.5), taken=np.array([0]))
    same_text = replace(view, groups=np.array([0, 1, 2, 0]))

    sample = read_sample(same_text, np.array([1, 2, 3]))

    assert sample.open.tolist() == [False, True, False]


def test_the_nearest_of_some_rows_is_found_for_every_item(make_view: Make) -> None:
    sample = read_sample(make_view(np.eye(2), np.full((2, 2), 0.5)), np.array([0, 1]))
    known = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)

    np.testing.assert_allclose(nearest_cosines(sample, known), [1, 0.8], rtol=1e-6)
    assert nearest_cosines(sample, known[:0]).tolist() == [-np.inf, -np.inf]


def test_a_pick_larger_than_a_quarter_of_a_sample_is_made_from_several(make_pool: Make) -> None:
    pool = make_pool(200)
    sizes: list[tuple[int, int]] = []

    def first_ones(view: SelectionView, indices: Integers, k: int) -> tuple[Integers, Floats]:
        assert not np.isin(indices, view.taken).any()
        sizes.append((len(indices), k))
        return indices[:k], np.zeros(k)

    picked, _ = pick_from_samples(
        pool, np.arange(200.0), 40, 25, np.random.default_rng(0), first_ones
    )

    assert sizes == [(40, 10), (40, 10), (40, 5)]
    assert len(np.unique(picked)) == 25


def test_it_ends_when_nothing_is_picked_from_a_sample(make_pool: Make) -> None:
    def nothing(view: SelectionView, indices: Integers, k: int) -> tuple[Integers, Floats]:
        return indices[:0], np.zeros(0)

    picked, scores = pick_from_samples(
        make_pool(50), np.arange(50.0), 40, 5, np.random.default_rng(0), nothing
    )

    assert len(picked) == len(scores) == 0
