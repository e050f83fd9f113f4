from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hilt.selectors.kmeans import KMeans
from hilt.types import SelectionView

Make = Callable[..., SelectionView]


def test_the_middle_of_every_bundle_is_picked(make_view: Make) -> None:
    # Three bundles of three directions in planes of their own; the second of each is the middle.
    angles = np.radians([-20, 0, 20])
    rows = np.zeros((9, 6))
    for bundle in range(3):
        rows[3 * bundle : 3 * bundle + 3, 2 * bundle] = np.cos(angles)
        rows[3 * bundle : 3 * bundle + 3, 2 * bundle + 1] = np.sin(angles)
    doubt = np.linspace(0.1, 0.9, 9)
    view = make_view(rows, np.column_stack([1 - doubt / 2, doubt / 2]))

    selection = KMeans().select(view, 3, np.random.default_rng(0))

    assert sorted(selection.indices) == [1, 4, 7]
    np.testing.assert_allclose(selection.scores, 1, atol=1e-6)
    assert set(selection.reasons) == {"coverage"}


def test_more_than_there_are_clusters_are_filled_up_with_the_uncertain(make_view: Make) -> None:
    doubt = np.array([0.2, 0.9, 0.4, 0.6])
    rows = np.array([[1, 0], [0, 1], [0, 1], [0, 1]])
    view = make_view(rows, np.column_stack([1 - doubt / 2, doubt / 2]), near_duplicate=2)

    selection = KMeans().select(replace(view, groups=np.arange(4)), 4, np.random.default_rng(0))

    assert sorted(selection.indices) == [0, 1, 2, 3]
