"""What an item stands for, on points whose neighbours are known."""

import numpy as np
import pytest

from hilt.pipeline.selecting import coverage as reach
from hilt.pipeline.selecting.coverage import coverage, covering_radius, typicality
from hilt.types import Floats

# Degrees on a circle: five close together, three others, and one far from all.
DEGREES = np.array([0, 2, 4, 6, 8, 40, 43, 46, 180])
NONE = np.empty(0, dtype=np.int64)


def on_circle(degrees: Floats) -> Floats:
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_an_item_stands_for_what_is_nearest_to_it() -> None:
    found = coverage(on_circle(DEGREES), np.array([2, 6]), NONE, rng())

    assert found.items.tolist() == [5, 3]
    assert found.sampled is None


def test_what_is_nearer_to_a_labelled_item_is_covered_already() -> None:
    found = coverage(on_circle(DEGREES), np.array([2]), np.array([6]), rng())

    assert found.items.tolist() == [5]


def test_nothing_beyond_the_radius_is_covered() -> None:
    labelled = np.array([0, 5])  # 40 degrees apart, so the radius is theirs

    far = coverage(on_circle(DEGREES), np.array([8]), labelled, rng())

    assert far.items.tolist() == [1]


def test_the_radius_is_the_usual_distance_between_labelled_items() -> None:
    rows = on_circle(DEGREES)
    chord = 2 * np.sin(np.radians(40) / 2)

    assert covering_radius(rows, np.array([0, 5])) == pytest.approx(chord, abs=1e-3)
    assert covering_radius(rows, np.array([0])) == 1
    assert covering_radius(rows, np.array([0, 1])) == reach.MIN_RADIUS


def test_a_large_pool_is_sampled_and_scaled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "WHOLE", 2000)
    rows = on_circle(np.random.default_rng(1).uniform(-1, 1, 20_000) + 90 * (np.arange(20_000) % 2))

    found = coverage(rows, np.array([0, 1]), NONE, rng())

    assert found.sampled == 2000
    assert found.items == pytest.approx([10_000, 10_000], rel=0.1)


def test_an_outlier_is_not_typical(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "DENSITY_NEIGHBOURS", 2)

    shares = typicality(on_circle(DEGREES), np.arange(9), rng())

    assert shares[8] == 0
    assert shares[2] > shares[6] > shares[8]


def test_equal_rows_are_all_as_typical() -> None:
    shares = typicality(np.ones((50, 2), dtype=np.float32) / np.sqrt(2), np.arange(3), rng())

    assert shares.tolist() == pytest.approx([0, 0, 0], abs=0.5)
