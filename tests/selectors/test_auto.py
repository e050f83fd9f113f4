"""The default selector: which stage it is in, and what it picks there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.loop_signals import LoopSignals
from hilt.selectors.auto import Auto, falls_short, spread, stage_of
from hilt.selectors.herding import Herding
from hilt.types import SelectionView
from tests.selectors.proposing import proposing

Make = Callable[..., SelectionView]


def with_labels(view: SelectionView, count: int, kinds: int) -> SelectionView:
    """Let the first `count` items be labelled, with `kinds` labels in turn."""
    return replace(
        view,
        labelled=np.arange(count),
        labels=np.arange(count) % kinds,
        candidates=view.candidates[count:],
    )


@pytest.mark.parametrize(
    ("n_labels", "count", "kinds", "expected"),
    [
        (4, 0, 1, "spread"),
        (4, 1, 1, "herding"),  # the doubt is that of the proposals, too
        (4, 200, 4, "herding"),
        (19, 0, 1, "spread"),
        (20, 0, 1, "herding"),
        (20, 200, 20, "herding"),
    ],
)
def test_only_a_first_batch_of_few_labels_is_drawn_at_random(
    make_pool: Make, n_labels: int, count: int, kinds: int, expected: str
) -> None:
    assert stage_of(with_labels(make_pool(240, n_labels=n_labels), count, kinds)) == expected


@pytest.mark.parametrize(
    ("advantage", "expected"),
    [(None, False), ((0.2, 0.1), False), ((-0.2, 0.15), False), ((-0.2, 0.05), True)],
)
def test_only_a_shortfall_beyond_noise_counts(
    make_pool: Make, advantage: tuple[float, float] | None, expected: bool
) -> None:
    view = replace(make_pool(20), signals=LoopSignals(advantage=advantage))

    assert falls_short(view) is expected


@pytest.mark.parametrize("count", [1, 40, 200])
def test_after_the_first_batch_it_picks_as_herding_does(make_pool: Make, count: int) -> None:
    view = with_labels(make_pool(240), count, 4)

    mine = Auto().select(view, 10, np.random.default_rng(0))
    theirs = Herding().select(view, 10, np.random.default_rng(0))

    assert mine.indices.tolist() == theirs.indices.tolist()
    assert mine.note


def test_the_second_batch_asks_where_proposals_are_doubtful(make_pool: Make) -> None:
    view = with_labels(make_pool(240), 12, 4)
    probabilities = np.tile(np.array([0.97, 0.01, 0.01, 0.01], dtype=np.float32), (240, 1))
    probabilities[100:120] = [0.5, 0.5, 0, 0]

    selection = Auto().select(proposing(view, probabilities), 10, np.random.default_rng(0))

    assert set(selection.indices.tolist()) <= set(range(100, 120))
    assert selection.reasons == ("uncertain",) * 10


def test_half_of_the_batch_is_random_where_chosen_labels_fall_short(make_pool: Make) -> None:
    view = with_labels(make_pool(240), 40, 4)
    behind = replace(view, signals=LoopSignals(advantage=(-1.0, 0.1)))

    selection = Auto().select(behind, 11, np.random.default_rng(0))

    assert selection.reasons == ("uncertain",) * 6 + ("random",) * 5
    assert len(np.unique(selection.indices)) == 11
    assert "taught less than random ones" in selection.note


def test_the_rarest_predicted_label_has_its_place_in_the_first_batch(make_pool: Make) -> None:
    view = make_pool(240, n_labels=3)
    probabilities = np.tile(np.array([0.8, 0.1, 0.1], dtype=np.float32), (240, 1))
    probabilities[17] = [0.1, 0.8, 0.1]

    for seed in range(5):
        selection = spread(proposing(view, probabilities), 6, np.random.default_rng(seed))
        assert 17 in selection.indices
        assert selection.reasons == ("spread",) * 6


def test_what_is_drawn_first_is_spread_by_the_root_of_the_size(make_pool: Make) -> None:
    view = make_pool(250, n_labels=3)
    places = np.repeat([0, 1, 2], [160, 80, 10])
    probabilities = np.eye(3, dtype=np.float32)[places]

    selection = spread(proposing(view, probabilities), 12, np.random.default_rng(0))

    assert np.bincount(places[selection.indices]).tolist() == [6, 4, 2]


def test_copies_do_not_leave_places_empty(make_pool: Make) -> None:
    pool = make_pool(240, n_labels=2)
    same = np.where(np.arange(240) < 40, 0, np.arange(240))
    probabilities = np.eye(2, dtype=np.float32)[(np.arange(240) >= 40).astype(int)]
    view = proposing(replace(pool, groups=same), probabilities)

    selection = spread(view, 20, np.random.default_rng(0))

    assert len(selection) == 20
    assert (selection.indices < 40).sum() == 1
