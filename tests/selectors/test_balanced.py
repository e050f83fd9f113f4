from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hilt.selectors.balanced import Balanced
from hilt.selectors.kmeans import KMeans
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def predicted(counts: list[int], n_labels: int) -> np.ndarray:
    """Distributions that predict label 0 so often, label 1 so often; later ones are surer."""
    labels = np.repeat(np.arange(len(counts)), counts)
    lead = np.linspace(0.5, 0.9, len(labels))
    rows = np.repeat((1 - lead)[:, None] / (n_labels - 1), n_labels, axis=1)
    rows[np.arange(len(labels)), labels] = lead
    return rows


def test_a_rare_label_gets_places_that_plain_uncertainty_would_not_give_it(make_view: Make) -> None:
    view = make_view(np.eye(20), predicted([16, 4], n_labels=2))

    selection = Balanced().select(view, 6, np.random.default_rng(0))

    assert sorted(selection.indices) == [0, 1, 2, 3, 16, 17]  # roots 4 and 2: places 4 and 2


def test_a_label_that_is_never_predicted_gets_none(make_view: Make) -> None:
    view = make_view(np.eye(8), predicted([4, 0, 4], n_labels=5))

    selection = Balanced().select(view, 4, np.random.default_rng(0))

    assert sorted(selection.indices) == [0, 1, 4, 5]


def test_places_that_a_label_cannot_fill_go_to_the_others(make_view: Make) -> None:
    view = make_view(np.eye(8), predicted([4, 4], n_labels=2))
    one_text = replace(view, groups=np.array([0, 0, 0, 0, 4, 5, 6, 7]))

    selection = Balanced().select(one_text, 4, np.random.default_rng(0))

    assert sorted(selection.indices) == [0, 4, 5, 6]


def test_the_other_selector_picks_within_a_label(make_view: Make) -> None:
    view = make_view(np.eye(8), predicted([4, 4], n_labels=2))

    selection = Balanced(KMeans()).select(view, 4, np.random.default_rng(0))

    assert (selection.indices < 4).sum() == 2
    assert set(selection.reasons) == {"coverage"}
