"""One selection by small-text, timed.

Its strategies ask a classifier for embeddings and probabilities; this one looks them up.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from small_text.integrations.pytorch.query_strategies import BADGE  # type: ignore[import-not-found]
from small_text.query_strategies.coresets import GreedyCoreset  # type: ignore[import-not-found]

from scripts.peers.selection import Floats, Integers, Pool, Select, run


class Dataset:
    """A data set of which only the indices matter."""

    def __init__(self, indices: Integers) -> None:
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, places: Integers) -> Dataset:
        return Dataset(self.indices[places])


class Classifier:
    """A classifier that was fitted already."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.num_classes = pool.probabilities.shape[1]

    def predict_proba(self, dataset: Dataset) -> Floats:
        """Look the probabilities up."""
        return self.pool.probabilities[dataset.indices]

    def embed(self, dataset: Dataset, return_proba: bool = False, **_: object) -> Any:  # noqa: ANN401
        """Look the embeddings up."""
        rows = self.pool.embeddings[dataset.indices]
        return (rows, self.predict_proba(dataset)) if return_proba else rows


def prepare(make: Callable[[int], Any], pool: Pool) -> Select:
    """Make a strategy for so many labels, and what it asks."""
    classifier, dataset = Classifier(pool), Dataset(np.arange(len(pool.embeddings)))
    strategy, unlabelled = make(classifier.num_classes), pool.unlabelled

    def select() -> Integers:
        picked: Integers = strategy.query(
            classifier, dataset, unlabelled, pool.labelled, pool.labels, n=pool.batch
        )
        return picked

    return select


METHODS: dict[str, Callable[[Pool], Select]] = {
    "GreedyCoreset": lambda pool: prepare(
        lambda _: GreedyCoreset(distance_metric="euclidean"), pool
    ),
    "BADGE": lambda pool: prepare(BADGE, pool),
}

if __name__ == "__main__":
    run(METHODS, version("small-text"))
