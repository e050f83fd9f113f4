"""small-text's strongest stack on one task: SetFit on the encoder, queried by BreakingTies."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from small_text import (  # type: ignore[import-not-found]
    BreakingTies,
    PoolBasedActiveLearner,
    RandomSampling,
    TextDataset,
)
from small_text.integrations.transformers.classifiers.factories import (  # type: ignore[import-not-found]
    SetFitClassificationFactory,
)
from small_text.integrations.transformers.classifiers.setfit import (  # type: ignore[import-not-found]
    SetFitModelArguments,
)

from scripts.peers.experiment import Experiment, Integers, read_experiment, schedule

STRATEGIES = {"breaking-ties": BreakingTies, "random": RandomSampling}
# Pairs that SetFit makes of each label, per polarity, for models that only choose the next items:
# fewer than for those that are measured, for nothing else is affordable on a processor.
QUERYING_ITERATIONS = 5
BATCH_SIZE = 32


def run(experiment: Experiment) -> None:
    """Query, label and train along the schedule; measure at every budget."""
    # small-text and SetFit draw from the global generators.
    np.random.seed(experiment.seed)  # noqa: NPY002
    torch.manual_seed(experiment.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    trainer: dict[str, int] = {}
    factory = SetFitClassificationFactory(
        SetFitModelArguments(experiment.encoder),
        experiment.n_labels,
        classification_kwargs={
            "mini_batch_size": BATCH_SIZE,
            "device": device,
            "trainer_kwargs": trainer,
        },
    )
    pool = dataset(experiment.texts, experiment.positions, experiment.n_labels)
    test = dataset(experiment.test_texts, experiment.test_positions, experiment.n_labels)
    learner = PoolBasedActiveLearner(factory, STRATEGIES[experiment.strategy](), pool)
    labelled = 0
    for stop in schedule(experiment.budgets):
        measured = stop in experiment.budgets
        trainer["num_iterations"] = experiment.iterations if measured else QUERYING_ITERATIONS
        if not labelled:
            indices = experiment.first_sample(stop)
            learner.initialize_data(indices, experiment.positions[indices])
            labelled = len(indices)
        elif labelled < stop:
            indices = learner.query(num_samples=stop - labelled)
            learner.update(experiment.positions[indices])
            labelled = stop
        if measured:
            experiment.record(labelled, learner.classifier.predict(test))


def dataset(texts: list[str], positions: Integers, n_labels: int) -> TextDataset:
    """Make small-text's own kind of data set."""
    return TextDataset(np.array(texts, dtype=object), positions, target_labels=np.arange(n_labels))


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    # Let processors with bfloat16 multiply in it, as hilt does; others stay in float32.
    torch.set_float32_matmul_precision("medium")
    run(read_experiment(tuple(STRATEGIES)))
