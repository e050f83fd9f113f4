"""The linear probe, beside what it is a short cut for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors.arithmetic import probe
from hilt.selectors.arithmetic.probe import Probe, fit_probe
from hilt.types import Floats, Integers


def bundles(n_items: int, seed: int = 0) -> tuple[Floats, Integers]:
    """Rows around three axes, and labels 0, 2 and 5."""
    rng = np.random.default_rng(seed)
    bundle = np.arange(n_items) % 3
    rows = np.eye(6)[bundle] + rng.normal(scale=0.2, size=(n_items, 6))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32), np.array([0, 2, 5])[bundle]


def predict(fitted: Probe, rows: Floats) -> Floats:
    (probabilities,) = fitted.probabilities(rows, fitted.weights[None])
    return np.asarray(probabilities)


def test_it_learns_which_bundle_has_which_label() -> None:
    rows, labels = bundles(60)
    fitted = fit_probe(rows, labels)
    new_rows, new_labels = bundles(60, seed=1)

    predicted = fitted.labels[predict(fitted, new_rows).argmax(axis=1)]

    assert fitted.labels.tolist() == [0, 2, 5]
    assert (predicted == new_labels).mean() > 0.95


@given(st.integers(0, 1000), st.integers(4, 12))
def test_leaving_one_out_is_fitting_without_it(seed: int, n_items: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_items, 3))
    targets = np.eye(2)[np.arange(n_items) % 2]
    values, vectors = np.linalg.eigh(inputs.T @ inputs)

    found = probe._left_out(inputs @ vectors, values, targets, 0.5)

    for place in range(n_items):
        others = np.arange(n_items) != place
        x, y = inputs[others], targets[others]
        weights = np.linalg.solve(x.T @ x + 0.5 * np.eye(3), x.T @ y)
        np.testing.assert_allclose(found[place], inputs[place] @ weights, atol=1e-8)


def test_few_contradictory_labels_give_flat_predictions_and_many_clear_ones_sharp_ones() -> None:
    rows, labels = bundles(300)
    rng = np.random.default_rng(0)

    clear = predict(fit_probe(rows, labels), rows)
    contradictory = predict(fit_probe(rows[:12], rng.permutation(labels[:12])), rows)

    assert clear.max(axis=1).mean() > 0.9
    assert contradictory.max(axis=1).mean() < 0.7


def test_draws_scatter_around_the_weights_less_with_more_labels() -> None:
    rows, labels = bundles(600)
    few, many = fit_probe(rows[:12], labels[:12]), fit_probe(rows, labels)
    rng = np.random.default_rng(0)

    drawn = many.draw(400, rng)

    np.testing.assert_allclose(drawn.mean(axis=0), many.weights, atol=4 * drawn.std() / 20)
    assert drawn.std(axis=0).mean() < few.draw(400, rng).std(axis=0).mean()


def test_the_spread_of_draws_is_that_of_the_posterior() -> None:
    rows, labels = bundles(30)
    fitted = fit_probe(rows, labels)
    inputs = np.concatenate([rows, np.ones((30, 1))], axis=1)

    covariance = fitted.spread @ fitted.spread.T

    precisions = [inputs.T @ inputs + strength * np.eye(7) for strength in probe.STRENGTHS]
    scaled = [covariance @ precision for precision in precisions]
    noises = [np.trace(matrix) / 7 for matrix in scaled]
    off = [np.abs(m / noise - np.eye(7)).max() for m, noise in zip(scaled, noises, strict=True)]
    assert min(off) < 1e-3


def test_dropping_coordinates_keeps_the_constant_and_the_expectation() -> None:
    rows, labels = bundles(60)
    fitted = fit_probe(rows, labels)

    thinned = fitted.thin(2000, 0.75, np.random.default_rng(0))

    np.testing.assert_array_equal(thinned[:, -1], np.broadcast_to(fitted.weights[-1], (2000, 3)))
    assert (thinned[:, :-1] == 0).mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(thinned.mean(axis=0), fitted.weights, atol=0.1)


def test_two_examples_of_two_labels_are_enough() -> None:
    fitted = fit_probe(np.eye(2, dtype=np.float32), np.array([3, 1]))

    rows = predict(fitted, np.eye(2, dtype=np.float32))
    assert fitted.labels.tolist() == [1, 3]
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)
