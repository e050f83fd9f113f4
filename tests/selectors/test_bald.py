from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors.arithmetic.first_batch import first_batch
from hilt.selectors.bald import Bald
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def test_what_no_label_is_near_is_asked_before_what_is_between_many(make_view: Make) -> None:
    # Forty items of label 0 along one axis, forty of label 1 along another, whose labels are mixed
    # halfway; nothing is known along the third. Doubt halfway lies in the items themselves.
    rng = np.random.default_rng(0)
    axes = np.concatenate([np.tile([1, 0, 0], (40, 1)), np.tile([0, 1, 0], (40, 1))])
    halfway = np.tile([1, 1, 0], (40, 1))
    rows = np.concatenate([axes, halfway, [[1, 1, 0], [0, 0, 1]]])
    rows = rows + rng.normal(scale=0.05, size=rows.shape) * (np.arange(122) < 120)[:, None]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.concatenate([np.zeros(40), np.ones(40), np.arange(40) % 2]).astype(int)
    view = replace(
        make_view(rows.astype(np.float32), np.full((122, 2), 0.5)),
        labelled=np.arange(120),
        labels=labels,
        candidates=np.array([120, 121]),
    )

    selection = Bald(draws=50).select(view, 2, np.random.default_rng(0))

    assert selection.indices.tolist() == [121, 120]
    assert selection.scores[0] > 2 * selection.scores[1]


@pytest.mark.parametrize("n_labelled", [0, 1, 5])
def test_with_fewer_than_two_labels_it_is_the_first_batch(make_pool: Make, n_labelled: int) -> None:
    pool = make_pool(100)
    view = replace(
        pool,
        labelled=np.arange(n_labelled),
        labels=np.zeros(n_labelled, dtype=int),
        candidates=pool.candidates[n_labelled:],
    )

    selection = Bald().select(view, 10, np.random.default_rng(0))

    expected = first_batch(view, 10, np.random.default_rng(0))
    assert selection.indices.tolist() == expected.indices.tolist()
