"""How a student is trained: cross-validation decides everything that could go wrong.

Every labelled item is predicted by students that did not see its fold. Those predictions choose
whether to self-train and which kind of student to keep, fit the temperature, and weigh the
proposers.

An audit item is measured otherwise. Students that miss a fold of the labels are not the student
that is delivered: they are worse, by points, where labels were chosen and each has few like it. So
for the measure the audit items alone are folded: a student that learnt every label but the audit
labels of one fold predicts those, and is tempered, blended and fused by numbers that were fitted
without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hilt.figures import counted
from hilt.pipeline.configuration.student import STUDENTS, StudentSection
from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.pipeline.students.base import Examples, Student, predict_rows, take
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.own import OwnStudent
from hilt.pipeline.training.combining import Combination, fusion_weights
from hilt.pipeline.training.fine_tuning import FineTuner, total_epochs
from hilt.pipeline.training.self_training import (
    Learn,
    SelfTraining,
    known_examples,
    linear_learner,
)
from hilt.pipeline.training.training_data import TrainingData
from hilt.progress import Progress, Silent
from hilt.proposers.models.encoder import EncoderSource
from hilt.rows import Rows, joined
from hilt.types import Floats, Integers

MIN_PER_LABEL = 8  # labels for each label, on average, before `auto` fine-tunes
FEW_FOLDS = 2  # of cross-validation, where an encoder is fine-tuned in each
TRIED_BY = {
    "quick": (),
    "normal": ("contrastive",),
    "thorough": ("contrastive", "transformer"),
}
AMOUNTS = {"quick": (1.0,), "normal": (1.0,), "thorough": (0.3, 1.0, 3.0)}


@dataclass(frozen=True, slots=True)
class Training:
    """A trained student, and what cross-validation said on the way.

    Attributes:
        student: The student, calibrated.
        out_of_fold: Each labelled item as predicted by students that did not see its fold,
            calibrated.
        audit: Each audit item as predicted by a student that learnt every label but the audit
            labels of its fold.
        audit_fused: The same, fused with the proposers.
        self_training: What a guessed example counted; 0 when the labels speak against it.
        fusion: Shape (1 + p,), the exponents of the student and of each proposer when fused.
        scores: Mean negative log-likelihood, out of fold, of each kind that was tried.
    """

    student: Student
    out_of_fold: Rows
    audit: Rows
    audit_fused: Rows
    self_training: float
    fusion: Floats
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way of training, with what its students say of items that they did not see.

    Attributes:
        fit: Gives a student that learnt the labels at some rows.
        complete: The same, going on with the student of a fold, by its place; None where that is
            trained anew.
        finish: Gives the student of all labels.
        raw: What they say of the labelled items out of fold, before the temperature.
        temperature: What the logits of the student of all labels should be divided by.
        out_of_fold: What they say after it.
    """

    fit: Callable[[Integers], Student]
    complete: Callable[[int, Integers], Student] | None
    finish: Callable[[], Student]
    raw: Rows
    temperature: float
    out_of_fold: Rows

    def loss(self, data: TrainingData) -> Floats:
        """Score the out-of-fold predictions item by item; lower is better."""
        return -data.task.rows.log_likelihood(self.out_of_fold, data.targets)


def train_student(
    data: TrainingData,
    settings: StudentSection,
    *,
    encoder: EncoderSource,
    device: str,
    rng: np.random.Generator,
    progress: Progress | None = None,
    medium: str = "text",
) -> Training:
    """Train the student that cross-validation prefers.

    Args:
        data: What to learn from, at least one labelled item.
        settings: The `student` section of the configuration.
        encoder: The embedder's; fine-tuned kinds without a `model` of their own start from
            it.
        device: Where a fine-tuned student trains.
        rng: The only source of chance.
        progress: Receives progress and notes.
        medium: What the items are.
    """
    kinds = _fine_tuned_kinds(data, settings, medium)
    n_folds = _n_folds(kinds, settings)
    folds = data.deal(n_folds, rng)
    seed = int(rng.integers(2**31))
    steps = 1 + sum(total_epochs(kind, settings, data, n_folds) for kind in kinds)
    task = (progress or Silent()).task(f"Training on {counted(len(data), 'label')}", steps, "steps")
    with task as advance:
        first, learn = _learner(data, settings, device, seed)
        trial, self_training = _best_taught(learn, data, settings, folds)
        trials = {first: trial}
        for kind in kinds:
            start = settings.encoder_of(kind, encoder)
            tuner = FineTuner(kind, data, settings, self_training, start, device, seed, advance)
            complete = tuner.complete if tuner.is_averaged else None
            trials[kind] = _try(tuner.fit, data, folds, complete, tuner.finish)
        if settings.is_chosen:
            trials = {settings.kind: trials[settings.kind]}
        training = _combine(trials, data, folds, self_training)
        advance(steps)
    return training


def _fine_tuned_kinds(data: TrainingData, settings: StudentSection, medium: str) -> list[str]:
    """List the fine-tuned kinds of student to try."""
    if settings.is_chosen:
        return [kind for kind in TRIED_BY["thorough"] if kind == settings.kind]
    return [
        kind
        for kind in TRIED_BY[settings.effort]
        if len(data) >= max(getattr(settings, kind).from_labels, data.n_labels * MIN_PER_LABEL)
        and STUDENTS.serves(kind, media=medium)
    ]


def _learner(
    data: TrainingData, settings: StudentSection, device: str, seed: int
) -> tuple[str, Learn]:
    """Say which kind of student is tried first, and how it learns: a linear one, or the user's."""
    if not settings.is_own:
        return LinearStudent.kind, linear_learner(data, settings)

    def learn(examples: Examples, start: Student | None = None) -> Student:
        return OwnStudent.fit(
            settings.kind, examples, settings.settings, task=data.task, device=device, seed=seed
        )

    return settings.kind, learn


def _n_folds(kinds: list[str], settings: StudentSection) -> int:
    """Say in how many folds to cross-validate."""
    if not kinds or settings.effort == "thorough":
        return settings.folds
    return min(settings.folds, FEW_FOLDS)


def _combine(
    trials: dict[str, Trial],
    data: TrainingData,
    folds: Integers,
    self_training: SelfTraining | None,
) -> Training:
    """Blend the ways of training by their out-of-fold predictions, and train on every label."""
    everything = np.arange(len(data))
    scores = {kind: float(trial.loss(data).mean()) for kind, trial in trials.items()}
    combination = Combination.fit(_raw(trials), data, everything)
    trials = {kind: trials[kind] for kind in combination.weights}
    audit, audit_fused = _predict_audit(trials, data, folds)
    return Training(
        student=_finish(trials, combination),
        out_of_fold=combination.student(_raw(trials), data.task.rows),
        audit=audit,
        audit_fused=audit_fused,
        self_training=0.0 if self_training is None else self_training.weight,
        fusion=combination.fusion,
        scores=scores,
    )


def _raw(trials: dict[str, Trial]) -> dict[str, Rows]:
    return {kind: trial.raw for kind, trial in trials.items()}


def _predict_audit(
    trials: dict[str, Trial], data: TrainingData, folds: Integers
) -> tuple[Rows, Rows]:
    """Predict each audit item by what knows every label but the audit labels of its fold.

    Returns:
        What the student says, and what is fused with the proposers.
    """
    audit, math = data.audit, data.task.rows
    student, fused = _Gathered(data), _Gathered(data)
    for place, fold in enumerate(np.unique(folds)):
        held_out = folds[audit] == fold
        asked = audit[held_out]
        rows = np.setdiff1d(np.arange(len(data)), asked)
        completed: dict[str, Student] = {}
        for kind, trial in trials.items():
            if trial.complete is not None:  # in any case: the student of all labels is their mean
                completed[kind] = trial.complete(place, rows)
            elif len(asked):
                completed[kind] = trial.fit(rows)
        if not len(asked):
            continue
        items = take(data.labelled, asked)
        raw = {kind: predict_rows(each, items, data.task) for kind, each in completed.items()}
        combination = Combination.fit(_raw(trials), data, rows)
        said = combination.student(raw, math)
        student.add(np.flatnonzero(held_out), said)
        proposed = [each.take(asked) for each in data.proposals]
        fused.add(np.flatnonzero(held_out), combination.fused(said, proposed, math))
    return student.rows(), fused.rows()


def cross_fit(fit: Callable[[Integers], Student], data: TrainingData, folds: Integers) -> Rows:
    """Predict every labelled item with a student that was fitted without its fold."""
    predictions = _Gathered(data)
    for fold in np.unique(folds):
        held_out = np.flatnonzero(folds == fold)
        student = fit(np.flatnonzero(folds != fold))
        items = take(data.labelled, held_out)
        predictions.add(held_out, predict_rows(student, items, data.task))
    return predictions.rows()


class _Gathered:
    """Gathers what is said of items, a part of them after the other."""

    def __init__(self, data: TrainingData) -> None:
        nothing: Integers = np.empty(0, dtype=np.int64)
        self._places, self._parts = [nothing], [data.targets.rows.take(nothing)]

    def add(self, places: Integers, said: Rows) -> None:
        """Take in what is said of the items at some places."""
        self._places.append(places)
        self._parts.append(said)

    def rows(self) -> Rows:
        """Give all of it, in the order of the places."""
        return joined(self._parts).take(np.argsort(np.concatenate(self._places)))


def _try(
    fit: Callable[[Integers], Student],
    data: TrainingData,
    folds: Integers,
    complete: Callable[[int, Integers], Student] | None = None,
    finish: Callable[[], Student] | None = None,
) -> Trial:
    """Cross-validate a way of training; it is finished by training on everything, if not else."""
    raw, everything = cross_fit(fit, data, folds), np.arange(len(data))
    temperature = fit_temperature(data.units(raw), data.true_units(everything))
    return Trial(
        fit,
        complete,
        finish or (lambda: fit(everything)),
        raw,
        temperature,
        data.task.rows.tempered(raw, temperature),
    )


def _best_taught(
    learn: Learn, data: TrainingData, settings: StudentSection, folds: Integers
) -> tuple[Trial, SelfTraining | None]:
    """Try a student without self-training, and with several amounts of it.

    The configured amount is kept unless another is better by more than one standard error: with
    few labels the comparison is mostly noise, and on average it helps much.
    """
    trials: dict[float, tuple[Trial, SelfTraining | None]] = {}
    plain = _try(lambda rows: learn(known_examples(data, rows, settings)), data, folds)
    trials[0.0] = plain, None
    if not settings.self_training.rounds or not len(data.unlabelled):
        return trials[0.0]
    fusion = fusion_weights(plain.out_of_fold, data, np.arange(len(data)))
    usual = settings.self_training.weight
    for amount in AMOUNTS[settings.effort]:
        taught = SelfTraining(data, settings, fusion, usual * amount, learn)
        trials[usual * amount] = _try(taught.fit, data, folds), taught
    losses = {weight: trial.loss(data) for weight, (trial, _) in trials.items()}
    return trials[_usual_or_better(losses, usual)]


def _usual_or_better(losses: dict[float, Floats], usual: float) -> float:
    """Keep the usual choice unless another is better by more than one standard error."""
    best = min(losses, key=lambda choice: float(losses[choice].mean()))
    worse_by = losses[usual] - losses[best]
    return best if worse_by.mean() > worse_by.std() / np.sqrt(len(worse_by)) else usual


def _finish(trials: dict[str, Trial], combination: Combination) -> Student:
    """Make the student of all labels, of one way of training or of several."""
    parts = {kind: trial.finish().sharpened(trial.temperature) for kind, trial in trials.items()}
    if len(parts) == 1:
        return next(iter(parts.values()))
    return BlendedStudent(parts, tuple(combination.weights.values()))
