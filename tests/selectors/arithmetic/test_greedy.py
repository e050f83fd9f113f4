"""The lazy cover of a sample, beside the greedy one that computes every gain every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors.arithmetic import greedy
from hilt.selectors.arithmetic.greedy import cover_greedily, nearness
from hilt.selectors.arithmetic.sampling import Sample
from hilt.types import Floats


def sample_of(rows: Floats, near: float = 2) -> Sample:
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Sample(unit, np.arange(len(unit)), np.ones(len(unit), dtype=bool), near)


def by_definition(sample: Sample, weights: Floats, covered: Floats, k: int) -> list[int]:
    distances = np.linalg.norm(sample.rows[:, None] - sample.rows[None], axis=2)
    near, covered = np.exp(-(distances**2)), covered.copy()
    picked: list[int] = []
    for _ in range(k):
        gains = np.maximum(near - covered, 0) @ weights
        gains[picked] = -1
        picked.append(int(gains.argmax()))
        covered = np.maximum(covered, near[picked[-1]])
    return picked


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 9))
def test_the_lazy_choice_is_the_greedy_one(seed: int, k: int, again: int) -> None:
    rng = np.random.default_rng(seed)
    sample = sample_of(rng.normal(size=(40, 4)))
    weights, covered = rng.random(40), rng.random(40) / 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greedy, "BLOCK", 7)
        patch.setattr(greedy, "AGAIN", again)
        picked, gains = cover_greedily(sample, weights, covered, 1.0, k)

    assert picked.tolist() == by_definition(sample, weights, covered, k)
    assert (np.diff(gains) <= 1e-6).all()


def test_a_gain_is_the_nearness_that_it_adds() -> None:
    sample = sample_of(np.array([[1, 0], [0, 1]]))

    picked, gains = cover_greedily(sample, np.array([1, 0.5]), np.array([0.25, 0]), 1.0, 2)

    # At a distance of sqrt(2): exp(-2). Item 0 gains .75 + .5 exp(-2) and leaves 1 - exp(-2).
    assert picked.tolist() == [0, 1]
    np.testing.assert_allclose(gains, [0.75 + 0.5 * np.exp(-2), 0.5 * (1 - np.exp(-2))], rtol=1e-5)


def test_items_that_are_alike_are_not_picked_together() -> None:
    sample = sample_of(np.array([[1, 0], [1, 0.1], [0, -1]]), near=0.99)

    picked, _ = cover_greedily(sample, np.array([0.9, 0.8, 0.1]), np.zeros(3), 1.0, 3)

    assert picked.tolist() == [0, 2]


def test_what_is_worth_nothing_is_not_picked() -> None:
    sample = sample_of(np.eye(3))

    picked, _ = cover_greedily(sample, np.zeros(3), np.zeros(3), 1.0, 3)

    assert picked.tolist() == []


def test_nearness_has_fallen_to_1_over_e_at_the_radius() -> None:
    cosine = 1 - 0.5**2 / 2  # of unit vectors at a distance of 0.5

    assert nearness(np.array([cosine]), 0.5)[0] == pytest.approx(np.exp(-1))
    assert nearness(np.array([1.0, -np.inf]), 0.5).tolist() == [1, 0]
