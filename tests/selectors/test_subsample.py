from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.errors import DataError
from hilt.selectors.subsample import Subsample
from hilt.types import Graph, Selection, SelectionView

Make = Callable[..., SelectionView]


class Watcher:
    """Picks the first candidates, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        self.seen.append(view.candidates.tolist())
        return Selection(view.candidates[:k], np.zeros(min(k, len(view.candidates))), ())


def test_the_other_selector_sees_so_many_candidates(make_pool: Make) -> None:
    watcher = Watcher()

    Subsample(watcher, size=30).select(make_pool(200), 5, np.random.default_rng(0))

    (seen,) = watcher.seen
    assert len(set(seen)) == 30
    assert seen == sorted(seen)


def test_another_seed_shows_others(make_pool: Make) -> None:
    watcher, pool = Watcher(), make_pool(200)

    for seed in (0, 1):
        Subsample(watcher, size=30).select(pool, 5, np.random.default_rng(seed))

    assert watcher.seen[0] != watcher.seen[1]


def test_a_batch_larger_than_the_part_takes_the_rest_from_all(make_pool: Make) -> None:
    selection = Subsample(size=10).select(make_pool(200), 25, np.random.default_rng(0))

    assert len(np.unique(selection.indices)) == 25


def test_neighbours_of_labelled_items_come_first(make_pool: Make) -> None:
    # Items 0 and 1 are labelled; 5, 6 and 7 are their neighbours, and 1 is no candidate.
    graph = Graph(np.full((200, 3), -1), np.full((200, 3), -1.0))
    graph.neighbours[:2] = [[5, 6, 1], [0, 6, 7]]
    pool = make_pool(200, graph=graph)
    view = replace(
        pool, candidates=np.arange(2, 200), labelled=np.arange(2), labels=np.zeros(2, dtype=int)
    )
    watcher = Watcher()

    Subsample(watcher, size=20, near_labelled=True).select(view, 2, np.random.default_rng(0))

    (seen,) = watcher.seen
    assert len(seen) == 20
    assert {5, 6, 7} <= set(seen)


def test_a_second_round_near_more_labels_works(make_pool: Make) -> None:
    pool = make_pool(200)
    selector = Subsample(size=20, near_labelled=True)
    labelled = np.arange(3)
    for _ in range(3):
        view = replace(
            pool,
            candidates=np.setdiff1d(np.arange(200), labelled),
            labelled=labelled,
            labels=np.zeros(len(labelled), dtype=int),
        )
        picked = selector.select(view, 6, np.random.default_rng(0)).indices
        assert not np.isin(picked, labelled).any()
        labelled = np.append(labelled, picked)

    assert len(np.unique(labelled)) == 3 + 3 * 6


def test_neighbours_without_a_graph_are_refused(make_pool: Make) -> None:
    view = make_pool(50, graph=None)

    with pytest.raises(DataError, match="there is none; make it, or set near_labelled to false"):
        Subsample(near_labelled=True).select(view, 2, np.random.default_rng(0))
