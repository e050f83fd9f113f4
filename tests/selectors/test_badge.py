"""Gradient embeddings as factors, and k-means++ by rejection, beside what they stand for."""

from collections import Counter
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors import badge
from hilt.selectors.badge import Badge, Gradients, draw_far_apart, gradient_lengths
from hilt.types import Floats, SelectionView

Make = Callable[..., SelectionView]


def explicit(rows: Floats, residuals: Floats) -> Floats:
    """Build every gradient, shape (n, d * n_labels)."""
    products: Floats = np.einsum("nd,nc->ndc", rows, residuals).reshape(len(rows), -1)
    return products


def test_a_gradient_is_the_probabilities_less_the_likeliest_label(make_view: Make) -> None:
    # small-text 1.4.1 has -p here, and p = [.7, .2, .1] gives a length of .73.
    probabilities = np.array([[0.7, 0.2, 0.1]])

    assert gradient_lengths(make_view(np.eye(1), probabilities), np.array([0])) == pytest.approx(
        np.linalg.norm([-0.3, 0.2, 0.1])
    )


def test_with_two_labels_probabilities_count(make_view: Make) -> None:
    # small-text 1.4.1 takes the embedding alone then, whatever the proposal.
    view = make_view(np.eye(4), [[0.99, 0.01], [0.5, 0.5], [0.99, 0.01], [0.02, 0.98]])

    assert Badge().select(view, 1, np.random.default_rng(0)).indices.tolist() == [1]


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 5))
def test_factorised_distances_are_those_of_the_explicit_gradients(
    seed: int, n_items: int, n_labels: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, residuals = rng.normal(size=(n_items, 3)), rng.normal(size=(n_items, n_labels))
    full = explicit(rows, residuals)

    found = Gradients(rows, residuals).squared_distances(Gradients(rows[:2], residuals[:2]))

    expected = ((full[:, None] - full[None, :2]) ** 2).sum(axis=2)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def five_items(make_view: Make) -> SelectionView:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(5, 3))
    probabilities = rng.dirichlet(np.ones(3), size=5)
    return make_view(rows / np.linalg.norm(rows, axis=1, keepdims=True), probabilities)


def test_each_pick_is_drawn_by_its_squared_distance_to_the_nearest_before_it(
    make_view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(badge, "DRAWS", 3)
    view = five_items(make_view)
    residuals = view.proposal.values.copy()
    residuals[np.arange(5), residuals.argmax(axis=1)] -= 1
    full = explicit(view.embeddings, residuals)
    squared = ((full[:, None] - full[None]) ** 2).sum(axis=2)
    lengths = gradient_lengths(view, view.candidates)
    first = int(lengths.argmax())
    rng = np.random.default_rng(0)

    n_runs = 4000
    counts = Counter(tuple(draw_far_apart(view, lengths, 3, rng).tolist()) for _ in range(n_runs))

    chi_squared = 0.0
    for second, third in permutations(set(range(5)) - {first}, 2):
        nearest = np.minimum(squared[:, first], squared[:, second])
        chance = squared[second, first] / squared[:, first].sum() * nearest[third] / nearest.sum()
        expected = n_runs * chance
        chi_squared += (counts[first, second, third] - expected) ** 2 / expected
    assert sum(counts.values()) == n_runs
    assert chi_squared < 31.3  # 12 cells, 11 degrees of freedom: exceeded by chance once in 1,000


def test_certain_items_are_drawn_once_at_most(make_view: Make) -> None:
    # Their gradients are all 0: the second is at no distance from the first.
    probabilities = np.array([[0.6, 0.4], [1, 0], [1, 0], [0, 1], [0.5, 0.5]])
    view = make_view(np.eye(5), probabilities)

    indices = draw_far_apart(
        view, gradient_lengths(view, view.candidates), 5, np.random.default_rng(0)
    )

    assert len(np.intersect1d(indices, [1, 2, 3])) == 1
    assert {0, 4} <= set(indices.tolist())


def test_a_batch_has_every_label_of_the_doubtful_items(make_view: Make) -> None:
    # Ten doubtful items of each of four kinds, a bundle and a pair of labels each, and 400 sure.
    rng = np.random.default_rng(0)
    kind = np.append(np.repeat(np.arange(4), 10), rng.integers(4, size=400))
    rows = np.eye(8)[kind] + rng.normal(scale=0.1, size=(440, 8))
    probabilities = np.full((440, 5), 0.001)
    probabilities[np.arange(440), kind] = np.append(np.full(40, 0.499), np.full(400, 0.996))
    probabilities[:40, 4] = 0.498
    view = make_view(rows / np.linalg.norm(rows, axis=1, keepdims=True), probabilities)

    indices = Badge().select(view, 8, np.random.default_rng(0)).indices

    assert (indices < 40).mean() >= 0.75
    assert set(kind[indices[indices < 40]]) == {0, 1, 2, 3}
