"""Whether chosen labels teach more than random ones: the loop compares itself with its audit."""

from __future__ import annotations

import numpy as np

from hilt.pipeline.configuration.student import STUDENTS, StudentSection
from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.pipeline.students.base import predict_rows, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.training.selection_gain import MIN_AUDIT, MIN_CHOSEN, SelectionGain
from hilt.pipeline.training.self_training import fit_plain
from hilt.pipeline.training.training_data import TrainingData, assign_folds
from hilt.rows import Rows, joined
from hilt.types import Floats, Integers

FOLDS = 4
SHARED_LABELS = 1 + FOLDS / (FOLDS - 1)  # what that adds to the variance over folds
MAX_LABELS = 200  # that a student learns from, so that a comparison stays cheap


def measure_advantage(
    data: TrainingData, settings: StudentSection, rng: np.random.Generator
) -> SelectionGain | None:
    """Replace some of the chosen labels by random ones, and see what that does to a student.

    One linear student learns from chosen labels alone. For each fold of the audit items, another
    learns from as many, of which those in the other folds are a part. Both predict the fold, and
    are calibrated by one temperature each, as a student of the loop is. The replaced labels are
    learnt beside the rest, and not alone, because that is what the next ones will be: a few hard
    items alone teach less than a few random ones even where many teach much more.

    Args:
        data: What the student of the loop learns from, and its audit.
        settings: The `student` section of the configuration.
        rng: The only source of chance.

    Returns:
        None while there are fewer than 20 audit labels or 10 chosen ones, and where a linear
        student does not serve the task.

    Source: Nadeau and Bengio 2003, section 3.2, for the standard error over folds whose students
    share labels: the plain one would be two thirds of it, and too sure of itself.
    """
    audit = data.audit
    chosen = _chosen(data)
    if len(audit) < MIN_AUDIT or len(chosen) < MIN_CHOSEN:
        return None
    if not STUDENTS.serves(LinearStudent.kind, tasks=data.task.layout):
        return None
    chosen = rng.permutation(chosen)[:MAX_LABELS]
    # Spread without regard to labels: a fold that is like the others would favour the audit.
    folds = assign_folds(np.zeros_like(audit), data.groups[audit], FOLDS, rng)
    replaced = min(len(chosen), *(int((folds != fold).sum()) for fold in range(FOLDS)))
    audited = take(data.labelled, audit)
    task = data.task
    by_chosen = predict_rows(fit_plain(data, chosen, settings), audited, task)
    parts, places = [], []
    for fold in range(FOLDS):
        random = rng.choice(audit[folds != fold], replaced, replace=False)
        kept = rng.choice(chosen, len(chosen) - replaced, replace=False)
        student = fit_plain(data, np.append(kept, random), settings)
        places.append(np.flatnonzero(folds == fold))
        parts.append(predict_rows(student, take(audited, places[-1]), task))
    by_both = joined(parts).take(np.argsort(np.concatenate(places)))
    gains = _calibrated_loss(data, by_both) - _calibrated_loss(data, by_chosen)
    return SelectionGain(
        difference=round(float(gains.mean()), 4),
        standard_error=round(float(np.sqrt(SHARED_LABELS * gains.var(ddof=1) / len(gains))), 4),
        audit_labels=len(audit),
        labels=len(chosen),
        replaced=replaced,
    )


def _chosen(data: TrainingData) -> Integers:
    """List the rows that a selector chose, one of every text, none that is an audit item's too."""
    audit = data.audit
    rows = np.setdiff1d(np.arange(len(data)), audit)
    _, first = np.unique(data.groups[rows], return_index=True)
    rows = rows[np.sort(first)]
    return rows[~np.isin(data.groups[rows], data.groups[audit])]


def _calibrated_loss(data: TrainingData, said: Rows) -> Floats:
    """Score what is said of the audit items, each; lower is better."""
    temperature = fit_temperature(data.units(said), data.true_units(data.audit))
    tempered = data.task.rows.tempered(said, temperature)
    return -data.task.rows.log_likelihood(tempered, data.targets.take(data.audit))
