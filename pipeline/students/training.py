"""How a student is trained: cross-validation decides everything that could go wrong.

Every labelled item is predicted by students that did not see it. Those predictions choose
whether to self-train and which kind of student to keep, fit the temperature, weigh the
proposers, and are the only ones that an audit item is ever measured by. So the measure rests on
predictions that are out of fold but for that handful of numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hilt.pipeline.calibration import (
    fit_temperature,
    log_of,
    negative_log_likelihood,
    pool_logarithmically,
    softmax,
)
from hilt.pipeline.configuration.sections import Student as StudentSettings
from hilt.pipeline.fusion import fit_fusion
from hilt.pipeline.students.base import Student, take
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.fine_tuning import FineTuner
from hilt.pipeline.students.problem import Problem, assign_folds
from hilt.pipeline.students.self_training import SelfTraining, fit_plain
from hilt.progress import Progress, Silent
from hilt.types import Floats, Integers

LEAST_PER_LABEL = 5  # labels for each label, on average, before `auto` tries a transformer
BLEND_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Training:
    """A trained student, and what cross-validation said on the way.

    Attributes:
        student: The student, calibrated.
        out_of_fold: Shape (n, n_labels): each labelled item as predicted by students that did
            not see it, calibrated.
        self_training: Whether it was used; it is not when the labels speak against it.
        fusion: Shape (1 + p,), the exponents of the student and of each proposer when fused.
        scores: Mean negative log-likelihood, out of fold, of each kind that was tried.
    """

    student: Student
    out_of_fold: Floats
    self_training: bool
    fusion: Floats
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way of training, with its out-of-fold predictions, calibrated.

    Attributes:
        fit: Trains on the labelled items at the given rows.
        out_of_fold: Shape (n, n_labels), after the temperature.
        temperature: What the logits of a student from `fit` should be divided by.
    """

    fit: Callable[[Integers], Student]
    out_of_fold: Floats
    temperature: float

    def loss(self, positions: Integers) -> Floats:
        """Score the out-of-fold predictions item by item; lower is better."""
        return negative_log_likelihood(self.out_of_fold, positions)


def train_student(
    problem: Problem,
    settings: StudentSettings,
    *,
    encoder: str,
    device: str,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Training:
    """Train the student that cross-validation prefers.

    Args:
        problem: What to learn from, at least one labelled item.
        settings: The `student` section of the configuration.
        encoder: What a transformer starts from.
        device: Where a transformer trains.
        rng: The only source of chance.
        progress: Who looks on.
    """
    wants_transformer = _wants_transformer(problem, settings)
    n_folds = min(settings.folds, 3) if wants_transformer else settings.folds
    folds = assign_folds(problem.positions, problem.groups, n_folds, rng)
    seed = int(rng.integers(2**31))
    # The epochs of every fold and of the last training; early stop makes them fewer.
    steps = settings.transformer.epochs * (n_folds + 1) if wants_transformer else 1
    task = (progress or Silent()).task(f"Training on {len(problem)} labels", steps, "steps")
    with task as advance:
        linear, self_training = _best_linear(problem, settings, folds)
        trials = {"linear": linear}
        if wants_transformer:
            tuner = FineTuner(problem, settings, self_training, encoder, device, seed, advance)
            trials["transformer"] = _try(tuner.fit, problem, folds, tuner.fit_and_stop)
        if settings.kind != "auto":
            trials = {settings.kind: trials[settings.kind]}
        training = _combine(trials, problem, self_training is not None)
        advance(steps)
    return training


def _wants_transformer(problem: Problem, settings: StudentSettings) -> bool:
    least = max(settings.transformer.from_labels, problem.n_labels * LEAST_PER_LABEL)
    return settings.kind == "transformer" or (settings.kind == "auto" and len(problem) >= least)


def _combine(trials: dict[str, Trial], problem: Problem, self_training: bool) -> Training:
    """Blend the ways of training by their out-of-fold predictions, and train on every label."""
    weights = _blend_weights(list(trials.values()), problem.positions)
    kept = {kind: weight for kind, weight in zip(trials, weights, strict=True) if weight}
    out_of_fold = pool_logarithmically(
        [trials[kind].out_of_fold for kind in kept], np.array(list(kept.values()))
    )
    return Training(
        student=_fit_all({kind: trials[kind] for kind in kept}, tuple(kept.values()), len(problem)),
        out_of_fold=out_of_fold,
        self_training=self_training,
        fusion=_fusion_weights(out_of_fold, problem),
        scores={
            kind: float(trial.loss(problem.positions).mean()) for kind, trial in trials.items()
        },
    )


def cross_fit(fit: Callable[[Integers], Student], problem: Problem, folds: Integers) -> Floats:
    """Predict every labelled item with a student that was fitted without its fold.

    Returns:
        Shape (n, n_labels), rows sum to 1.
    """
    predictions = np.empty((len(problem), problem.n_labels), dtype=np.float32)
    for fold in np.unique(folds):
        held_out = np.flatnonzero(folds == fold)
        student = fit(np.flatnonzero(folds != fold))
        predictions[held_out] = student.predict_proba(take(problem.labelled, held_out))
    return predictions


def _try(
    fit: Callable[[Integers], Student],
    problem: Problem,
    folds: Integers,
    fit_fold: Callable[[Integers], Student] | None = None,
) -> Trial:
    raw = cross_fit(fit_fold or fit, problem, folds)
    temperature = fit_temperature(raw, problem.positions)
    return Trial(fit, softmax(log_of(raw) / np.float32(temperature)), temperature)


def _fusion_weights(out_of_fold: Floats, problem: Problem) -> Floats:
    """Weigh the student and the proposers on labels that none of them has seen."""
    return fit_fusion(out_of_fold, problem.proposals, problem.positions, problem.agreement)


def _best_linear(
    problem: Problem, settings: StudentSettings, folds: Integers
) -> tuple[Trial, SelfTraining | None]:
    """Try the linear student without and with self-training.

    Self-training is kept unless it is worse by more than one standard error: with few labels
    the comparison is mostly noise, and on average it helps much.
    """
    plain = _try(lambda rows: fit_plain(problem, rows, settings), problem, folds)
    if not settings.self_training.rounds or not len(problem.unlabelled):
        return plain, None
    fusion = _fusion_weights(plain.out_of_fold, problem)
    self_training = SelfTraining(problem, settings, fusion)
    taught = _try(self_training.fit, problem, folds)
    worse_by = taught.loss(problem.positions) - plain.loss(problem.positions)
    error = worse_by.std() / np.sqrt(len(problem))
    return (plain, None) if worse_by.mean() > error else (taught, self_training)


def _blend_weights(trials: list[Trial], positions: Integers) -> tuple[float, ...]:
    """Weigh one or two ways of training by their out-of-fold predictions."""
    if len(trials) == 1:
        return (1.0,)
    first, second = (trial.out_of_fold for trial in trials)

    def loss(share: float) -> float:
        blended = pool_logarithmically([first, second], np.array([1 - share, share]))
        return float(negative_log_likelihood(blended, positions).mean())

    share = min(BLEND_STEPS, key=loss)
    return 1 - share, share


def _fit_all(trials: dict[str, Trial], weights: tuple[float, ...], n_items: int) -> Student:
    """Train on every label what was tried on parts of them."""
    everything = np.arange(n_items)
    parts = {
        kind: trial.fit(everything).sharpened(trial.temperature) for kind, trial in trials.items()
    }
    if len(parts) == 1:
        return next(iter(parts.values()))
    return BlendedStudent(parts, weights)
