"""One selection by scikit-activeml, timed; its classifier is fitted outside the clock."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from skactiveml.classifier import SklearnClassifier  # type: ignore[import-not-found]
from skactiveml.pool import (  # type: ignore[import-not-found]
    Badge,
    CoreSet,
    MaxHerding,
    ProbCover,
    TypiClust,
)
from sklearn.linear_model import LogisticRegression

from scripts.peers.selection import Integers, Pool, Select, run


def known(pool: Pool) -> Any:  # noqa: ANN401 - scikit-activeml's mark of a missing label is NaN
    """Give the label of every item, NaN where there is none."""
    labels = np.full(len(pool.embeddings), np.nan)
    labels[pool.labelled] = pool.labels
    return labels


def without_classifier(strategy: Any, pool: Pool) -> Select:  # noqa: ANN401
    """Prepare a strategy that looks at embeddings alone."""
    labels = known(pool)

    def select() -> Integers:
        picked: Integers = strategy.query(pool.embeddings, labels, batch_size=pool.batch)
        return picked

    return select


def with_classifier(strategy: Any, pool: Pool) -> Select:  # noqa: ANN401
    """Prepare a strategy that asks a classifier for probabilities."""
    labels = known(pool)
    model = SklearnClassifier(
        LogisticRegression(max_iter=200), classes=np.arange(pool.probabilities.shape[1])
    )
    model.fit(pool.embeddings[pool.labelled], labels[pool.labelled])

    def select() -> Integers:
        picked: Integers = strategy.query(
            pool.embeddings, labels, model, fit_clf=False, batch_size=pool.batch
        )
        return picked

    return select


METHODS: dict[str, Callable[[Pool], Select]] = {
    "CoreSet": lambda pool: without_classifier(CoreSet(random_state=0), pool),
    "TypiClust": lambda pool: without_classifier(TypiClust(random_state=0), pool),
    "MaxHerding": lambda pool: without_classifier(MaxHerding(random_state=0), pool),
    "ProbCover": lambda pool: without_classifier(
        ProbCover(n_classes=pool.probabilities.shape[1], random_state=0), pool
    ),
    "Badge": lambda pool: with_classifier(Badge(random_state=0), pool),
}

if __name__ == "__main__":
    run(METHODS, version("scikit-activeml"))
