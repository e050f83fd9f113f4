"""Coverage by balls, on pools small enough to work out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.selectors import probcover
from hilt.selectors.arithmetic.sampling import Sample
from hilt.selectors.probcover import ProbCover, balls, cover_by_balls, pure_cosine
from hilt.types import Floats, Integers, SelectionView

Make = Callable[..., SelectionView]


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def tight_clusters() -> tuple[Floats, Integers]:
    """Five clusters of 400, 300, 200, 80 and 20 items, and which item is in which."""
    cluster = np.repeat(np.arange(5), [400, 300, 200, 80, 20])
    noise = np.random.default_rng(0).normal(scale=0.01, size=(1000, 8))
    return unit(np.eye(8)[cluster] + noise), cluster


def distinct_doubt(n_items: int, n_labels: int) -> Floats:
    return np.random.default_rng(1).dirichlet(np.ones(n_labels), size=n_items)


def test_clusters_without_a_label_come_first_the_largest_before_the_others(make_view: Make) -> None:
    # small-text 2.0.0.dev4 takes five items of the one cluster that has labels.
    rows, cluster = tight_clusters()
    view = replace(
        make_view(rows, distinct_doubt(1000, 5), near_duplicate=2),
        labelled=np.arange(5),
        labels=np.zeros(5, dtype=int),
        candidates=np.arange(5, 1000),
    )

    selection = ProbCover().select(view, 4, np.random.default_rng(0))

    assert cluster[selection.indices].tolist() == [1, 2, 3, 4]
    # One ball in twenty may hold two clusters, so that shares are off by a few items.
    np.testing.assert_allclose(selection.scores, [0.3, 0.2, 0.08, 0.02], atol=0.01)
    assert selection.reasons == ("coverage",) * 4


def test_once_all_is_covered_the_uncertain_fill_up(make_view: Make) -> None:
    rows, _ = tight_clusters()
    view = make_view(rows, distinct_doubt(1000, 5), near_duplicate=2)

    selection = ProbCover().select(view, 8, np.random.default_rng(0))

    assert selection.reasons == ("coverage",) * 5 + ("uncertain",) * 3


def test_balls_are_as_large_as_they_may_be_before_they_mix_clusters() -> None:
    rows, cluster = tight_clusters()
    between = (rows @ rows.T)[cluster[:, None] != cluster].max()
    within = (rows @ rows.T)[cluster[:, None] == cluster].min()

    least = pure_cosine(rows, 5, 0.95, seed=0)

    assert least <= between < within


@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(-0.5, 0.9))
def test_bits_say_which_items_lie_in_which_balls(seed: int, n_items: int, least: float) -> None:
    rows = unit(np.random.default_rng(seed).normal(size=(n_items, 4)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probcover, "BLOCK", 16)
        bits = balls(rows, least)

    inside = np.unpackbits(bits, axis=1, count=n_items).astype(bool)
    np.testing.assert_array_equal(inside, inside.T)
    cosines = rows @ rows.T
    clear = np.abs(cosines - least) > 1e-5
    np.testing.assert_array_equal(inside[clear], (cosines >= least)[clear])


@given(st.integers(0, 10_000), st.floats(0, 0.9))
def test_each_pick_covers_most_of_what_is_not_covered(seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    sample = Sample(unit(rng.normal(size=(50, 4))), np.arange(50), rng.random(50) < 0.8, 2)
    covered = rng.random(50) < 0.3
    bits = balls(sample.rows, least)
    inside = np.unpackbits(bits, axis=1, count=50).astype(bool)

    places, counts = cover_by_balls(sample, bits, covered, 10)

    assert sample.open[places].all()
    assert len(set(places.tolist())) == len(places)
    for place, count in zip(places, counts, strict=True):
        gains = (inside & ~covered).sum(axis=1)
        assert gains[place] == count == gains[sample.open].max()
        covered = covered | inside[place]


def test_a_larger_pool_is_sampled(make_pool: Make) -> None:
    selection = ProbCover(sample=50).select(make_pool(200), 40, np.random.default_rng(0))

    assert len(set(selection.indices.tolist())) == 40
