"""Typical items of clusters, on pools small enough to work out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.selectors import typiclust
from hilt.selectors.typiclust import TypiClust, most_typical
from hilt.types import Floats, SelectionView

Make = Callable[..., SelectionView]


@pytest.fixture
def fans(make_view: Make) -> SelectionView:
    """Three fans of 9, 8 and 7 directions, each in a plane of its own and denser at one side."""
    rows = np.zeros((24, 6), dtype=np.float32)
    for fan, (first, size) in enumerate([(0, 9), (9, 8), (17, 7)]):
        angles = np.radians(np.arange(size) ** 1.5)  # 0, 1, 2.8, 5.2, 8, ... degrees
        rows[first : first + size, 2 * fan] = np.cos(angles)
        rows[first : first + size, 2 * fan + 1] = np.sin(angles)
    doubt = np.linspace(0.1, 0.9, 24)
    probabilities = np.column_stack([1 - doubt / 2, doubt / 2])
    return make_view(rows, probabilities, near_duplicate=1.0)


def pick(view: SelectionView, k: int, **settings: int) -> list[int]:
    selection = TypiClust(**settings).select(view, k, np.random.default_rng(0))
    return [int(index) for index in selection.indices]


def with_labels(view: SelectionView, *labelled: int) -> SelectionView:
    return replace(
        view,
        labelled=np.array(labelled),
        labels=np.zeros(len(labelled), dtype=int),
        candidates=np.setdiff1d(view.candidates, labelled),
    )


def fan_of(indices: list[int]) -> list[int]:
    fans: list[int] = np.searchsorted([9, 17, 24], indices, side="right").tolist()
    return fans


def test_the_largest_cluster_comes_first(fans: SelectionView) -> None:
    assert fan_of(pick(fans, 3)) == [0, 1, 2]


def test_the_densest_spot_is_typical(fans: SelectionView) -> None:
    # Mean distance to the two nearest: item 1 has them at 1 and 1.8 degrees, item 0 at 1 and 2.8.
    selection = TypiClust(neighbours=2).select(fans, 3, np.random.default_rng(0))

    assert selection.indices.tolist() == [1, 10, 18]
    chords = 2 * np.sin(np.radians([1, np.sqrt(8) - 1]) / 2)
    np.testing.assert_allclose(selection.scores, 1 / (1 + chords.mean()), rtol=1e-4)
    assert selection.reasons == ("coverage",) * 3


def test_clusters_without_a_label_come_first(fans: SelectionView) -> None:
    labelled = with_labels(fans, 0)

    assert 0 not in fan_of(pick(labelled, 2, most_clusters=3))


def test_with_more_picks_than_clusters_the_next_most_typical_follow(fans: SelectionView) -> None:
    indices = pick(fans, 7, most_clusters=3)

    assert fan_of(indices) == [0, 1, 2, 0, 1, 2, 0]
    assert len(set(indices)) == 7


def test_copies_are_no_obstacle(make_view: Make) -> None:
    rows = np.repeat(np.eye(4), 10, axis=0)
    doubt = np.linspace(0.1, 0.9, 40)
    view = make_view(rows, np.column_stack([1 - doubt / 2, doubt / 2]))

    assert sorted(index // 10 for index in pick(view, 4)) == [0, 1, 2, 3]


def random_rows(n_items: int) -> Floats:
    rows = np.random.default_rng(0).normal(size=(n_items, 3))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_in_a_large_cluster_the_shortlist_holds_the_most_typical(
    make_view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = random_rows(1000)
    rows[:300, 0] += 3  # a dense spot
    doubt = np.random.default_rng(1).random(1000)
    view = make_view(rows, np.column_stack([1 - doubt / 2, doubt / 2]))
    exact, distances = most_typical(view, np.arange(1000), 20)

    monkeypatch.setattr(typiclust, "WHOLE", 500)
    found, estimates = most_typical(view, np.arange(1000), 20)

    assert len(found) == 128
    assert found[0] in exact[:10]
    np.testing.assert_allclose(
        estimates[:5], [dict(zip(exact, distances, strict=True))[index] for index in found[:5]]
    )
