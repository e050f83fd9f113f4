"""Where the newest student disagrees with the labels that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.students.saved import load_out_of_fold, load_tested
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.types import Floats, Integers
from hilt.values import in_words

MAX_MISTAKES = 50  # of each kind that a report shows


@dataclass(frozen=True, slots=True)
class Mistake:
    """One item that the student would have labelled otherwise.

    Attributes:
        label: What people said, or the answer key of the test set.
        predicted: What the student says.
        probability: How sure it is of that.
    """

    item_id: str
    text: str
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The wrong predictions on some items, the surest first.

    Attributes:
        on: What was predicted: `labelled items` or `test items`.
        items: How many that were.
        wrong: How many of those wrongly.
        worst: The first `MAX_MISTAKES` of them.
    """

    on: str
    items: int
    wrong: int
    worst: tuple[Mistake, ...]


def wrong_predictions(
    files: WorkspaceFiles, training: TrainingRow | None, outcomes: Sequence[ItemLabel]
) -> list[Mistakes]:
    """Find wrong predictions on labelled items, by students that did not learn them, and on a test.

    Args:
        files: Where the student is.
        training: The newest one; None before the first.
        outcomes: What people say now, which may be something else than when it was trained.
    """
    if training is None:
        return []
    found = [
        _on_labelled(files, training, outcomes),
        _on_test(files, training),
    ]
    return [mistakes for mistakes in found if mistakes is not None and mistakes.items]


def _on_labelled(
    files: WorkspaceFiles, training: TrainingRow, outcomes: Sequence[ItemLabel]
) -> Mistakes | None:
    saved = load_out_of_fold(files.student_folder(training.cycle))
    if saved is None or files.is_ragged:
        return None
    indices, probabilities = saved.indices, saved.said.values
    said = {outcome.index: outcome.value for outcome in outcomes if outcome.by_people}
    rows = np.flatnonzero([index in said for index in indices.tolist()])
    indices, probabilities = indices[rows], probabilities[rows]
    return _mistakes(
        "labelled items",
        files.pool,
        files.config.label_names,
        indices=indices,
        labels=files.config.positions_of(
            [in_words(said[index] or ()) for index in indices.tolist()]
        ),
        predicted=probabilities.argmax(axis=1),
        sure=probabilities.max(axis=1),
    )


def _on_test(files: WorkspaceFiles, training: TrainingRow) -> Mistakes | None:
    saved = load_tested(files.student_folder(training.cycle))
    test = files.test
    if saved is None or test is None or files.is_ragged or len(saved[0]) != len(test):
        return None
    predicted, sure = saved
    names = files.config.label_names
    return _mistakes(
        "test items",
        test,
        names,
        indices=np.arange(len(test)),
        labels=files.config.positions_of(
            [in_words(value) for value in test.known_answers(files.task).values()]
        ),
        predicted=predicted,
        sure=sure,
    )


def _mistakes(
    on: str,
    pool: Pool,
    names: Sequence[str],
    *,
    indices: Integers,
    labels: Integers,
    predicted: Integers,
    sure: Floats,
) -> Mistakes:
    """Describe those items, shape (n,) each, that are predicted wrongly."""
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MAX_MISTAKES]
    where = indices[worst]
    columns = (
        pool.ids(where),
        pool.texts(where),
        [names[label] for label in labels[worst].tolist()],
        [names[guess] for guess in predicted[worst].tolist()],
        sure[worst].tolist(),
    )
    worst_ones = tuple(Mistake(*each) for each in zip(*columns, strict=True))
    return Mistakes(on=on, items=len(indices), wrong=len(wrong), worst=worst_ones)
