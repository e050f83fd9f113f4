"""Pools for the tests of selectors."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hilt.rows import Rows
from hilt.selectors.arithmetic.neighbours import build_graph
from hilt.types import Graph, Integers, SelectionView
from tests.selectors.proposing import single_of


def _view(embeddings: Any, probabilities: Any, **changes: Any) -> SelectionView:
    nothing = np.empty(0, dtype=np.int64)
    everything = np.arange(len(embeddings))
    values = {
        "candidates": everything,
        "labelled": nothing,
        "labels": nothing,
        "groups": everything,
        **changes,
    }
    rows = np.asarray(probabilities)
    return SelectionView(np.asarray(embeddings), Rows(rows), single_of(rows), **values)


def _pool(n_items: int, *, n_labels: int = 4, d: int = 16, **changes: Any) -> SelectionView:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(n_items, d)).astype(np.float32)
    embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    members = rng.dirichlet(np.ones(n_labels), size=(3, n_items)).astype(np.float32)
    everything: dict[str, Any] = {
        "committee": lambda indices: tuple(map(Rows, members[:, indices])),
        "graph": build_graph(embeddings, 10, rng),
        "seconds": rng.uniform(2, 60, size=n_items),
        **changes,
    }
    return _view(embeddings, members.mean(axis=0), **everything)


def _permute(view: SelectionView, order: Integers) -> SelectionView:
    place = np.argsort(order)
    committee, graph, seconds = view.committee, view.graph, view.seconds
    if graph is not None:
        graph = Graph(place[graph.neighbours[order]], graph.cosines[order])
    return replace(
        view,
        embeddings=view.embeddings[order],
        proposal=view.proposal.take(order),
        candidates=np.sort(place[view.candidates]),
        labelled=place[view.labelled],
        groups=view.groups[order],
        taken=place[view.taken],
        seconds=None if seconds is None else seconds[order],
        committee=None if committee is None else lambda indices: committee(order[indices]),
        graph=graph,
    )


@pytest.fixture
def make_view() -> Callable[..., SelectionView]:
    """A view of which every item is a candidate and no two items have the same text."""
    return _view


@pytest.fixture
def make_pool() -> Callable[..., SelectionView]:
    """The same over random directions and distributions, with distinct uncertainties, and with
    a committee, a graph and seconds."""
    return _pool


@pytest.fixture
def permute() -> Callable[[SelectionView, Integers], SelectionView]:
    """The same pool with item order[i] at place i."""
    return _permute
