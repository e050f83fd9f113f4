"""scikit-activeml on one task: logistic regression on hilt's embeddings, from zero labels on."""

from __future__ import annotations

import numpy as np
from skactiveml.classifier import SklearnClassifier  # type: ignore[import-not-found]
from skactiveml.pool import RandomSampling, UncertaintySampling  # type: ignore[import-not-found]
from sklearn.linear_model import LogisticRegression

from scripts.peers.experiment import Experiment, read_experiment, schedule

REGULARISATION = 10.0  # what hilt's own linear student has


def run(experiment: Experiment) -> None:
    """Query, label and train along the schedule; measure at every budget."""
    pool = np.load(experiment.folder / "pool.npy")
    test = np.load(experiment.folder / "test.npy")
    known = np.full(len(pool), np.nan)  # scikit-activeml's mark of an item without a label
    classifier = SklearnClassifier(
        LogisticRegression(C=REGULARISATION, max_iter=1000),
        classes=np.arange(experiment.n_labels),
        random_state=experiment.seed,
    )
    margin = UncertaintySampling(method="margin_sampling", random_state=experiment.seed)
    uniform = RandomSampling(random_state=experiment.seed)
    labelled = 0
    for stop in schedule(experiment.budgets):
        size = stop - labelled
        if experiment.strategy == "margin":
            indices = margin.query(pool, known, classifier, batch_size=size)
        else:
            indices = uniform.query(pool, known, batch_size=size)
        known[indices] = experiment.positions[indices]
        labelled = stop
        if stop in experiment.budgets:
            experiment.record(labelled, classifier.fit(pool, known).predict(test).astype(int))


if __name__ == "__main__":
    run(read_experiment(("margin", "random")))
