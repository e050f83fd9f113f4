"""Pools for the tests of selectors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hilt.types import Integers, SelectionView


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
    return SelectionView(np.asarray(embeddings), np.asarray(probabilities), **values)


def _pool(n_items: int, *, n_labels: int = 4, d: int = 16, **changes: Any) -> SelectionView:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(n_items, d)).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(n_labels), size=n_items).astype(np.float32)
    return _view(rows / np.linalg.norm(rows, axis=1, keepdims=True), probabilities, **changes)


def _permute(view: SelectionView, order: Integers) -> SelectionView:
    place = np.argsort(order)
    return SelectionView(
        embeddings=view.embeddings[order],
        probabilities=view.probabilities[order],
        candidates=np.sort(place[view.candidates]),
        labelled=place[view.labelled],
        labels=view.labels,
        groups=view.groups[order],
        taken=place[view.taken],
        near_duplicate=view.near_duplicate,
    )


@pytest.fixture
def make_view() -> Callable[..., SelectionView]:
    """A view of which every item is a candidate and no two items have the same text."""
    return _view


@pytest.fixture
def make_pool() -> Callable[..., SelectionView]:
    """The same over random directions and distributions, with distinct uncertainties."""
    return _pool


@pytest.fixture
def permute() -> Callable[[SelectionView, Integers], SelectionView]:
    """The same pool with item order[i] at place i."""
    return _permute
