from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors import dropquery
from hilt.selectors.dropquery import DropQuery, share_of_flips
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def test_flips_are_counted_against_the_whole_embedding() -> None:
    first, second = [0.9, 0.1], [0.1, 0.9]
    answers = np.array([[first, second], [first, first], [second, first], [first, second]])

    np.testing.assert_allclose(share_of_flips(answers), [1 / 3, 2 / 3])


def two_labels_and_a_border(make_view: Make) -> SelectionView:
    """Twenty labelled items of each of two axes; 120 candidates on them, and 60 between them."""
    rng = np.random.default_rng(0)
    side = np.arange(160) % 2
    between = rng.uniform(0.9, 1.1, size=(60, 2))
    rows = np.zeros((220, 32))
    rows[:160, :16] = np.where(side[:, None] == 0, 1, 0)
    rows[:160, 16:] = np.where(side[:, None] == 1, 1, 0)
    rows[160:, :16], rows[160:, 16:] = between[:, :1], between[:, 1:]
    rows += rng.normal(scale=0.3, size=rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    doubt = rng.random(220)
    return replace(
        make_view(rows.astype(np.float32), np.column_stack([1 - doubt / 2, doubt / 2])),
        labelled=np.arange(40),
        labels=side[:40],
        candidates=np.arange(40, 220),
    )


def test_items_between_two_labels_flip_and_are_picked(
    make_view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropquery, "PER_PICK", 5)
    view = two_labels_and_a_border(make_view)

    selection = DropQuery(passes=9).select(view, 2, np.random.default_rng(0))

    assert (selection.indices >= 160).all()
    assert (selection.scores > 0.1).all()
    assert selection.reasons == ("uncertain",) * 2


def test_where_few_flip_others_are_clustered_with_them(make_view: Make) -> None:
    view = two_labels_and_a_border(make_view)

    selection = DropQuery().select(view, 20, np.random.default_rng(0))

    assert len(np.unique(selection.indices)) == 20
    assert (selection.scores == 0).any()
