"""Whether chosen labels teach more than random ones: the loop compares itself with its audit."""

from __future__ import annotations

import numpy as np

from hilt.distributions import log_of, negative_log_likelihood, softmax
from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.pipeline.students.base import take
from hilt.pipeline.training.selection_gain import MIN_AUDIT, MIN_CHOSEN, SelectionGain
from hilt.pipeline.training.self_training import fit_plain
from hilt.pipeline.training.training_data import TrainingData, assign_folds
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
        None while there are fewer than 20 audit labels or 10 chosen ones.

    Source: Nadeau and Bengio 2003, section 3.2, for the standard error over folds whose students
    share labels: the plain one would be two thirds of it, and too sure of itself.
    """
    audit = data.audit
    chosen = _chosen(data)
    if len(audit) < MIN_AUDIT or len(chosen) < MIN_CHOSEN:
        return None
    chosen = rng.permutation(chosen)[:MAX_LABELS]
    # Spread without regard to labels: a fold that is like the others would favour the audit.
    folds = assign_folds(np.zeros_like(audit), data.groups[audit], FOLDS, rng)
    replaced = min(len(chosen), *(int((folds != fold).sum()) for fold in range(FOLDS)))
    audited = take(data.labelled, audit)
    by_chosen = fit_plain(data, chosen, settings).predict_proba(audited)
    by_both = np.empty_like(by_chosen)
    for fold in range(FOLDS):
        random = rng.choice(audit[folds != fold], replaced, replace=False)
        kept = rng.choice(chosen, len(chosen) - replaced, replace=False)
        student = fit_plain(data, np.append(kept, random), settings)
        by_both[folds == fold] = student.predict_proba(take(audited, np.flatnonzero(folds == fold)))
    positions = data.positions[audit]
    gains = _calibrated_loss(by_both, positions) - _calibrated_loss(by_chosen, positions)
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


def _calibrated_loss(probabilities: Floats, positions: Integers) -> Floats:
    temperature = np.float32(fit_temperature(probabilities, positions))
    return negative_log_likelihood(softmax(log_of(probabilities) / temperature), positions)
