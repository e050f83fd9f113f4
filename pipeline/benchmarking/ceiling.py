"""The ceiling: each kind of student trained on every label of the pool.

Which kind is the ceiling is decided on labels of the pool that a first training of each kind did
not see. Then it learns from every label, and only that student reads the test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.distributions import negative_log_likelihood
from hilt.metrics import measure, scores
from hilt.pipeline.benchmarking.arms import Stopwatch
from hilt.pipeline.benchmarking.random_labels import STRENGTHS
from hilt.pipeline.configuration.student import STUDENTS, StudentSection
from hilt.pipeline.students.base import Examples, Student, predict_rows, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.own import OwnStudent
from hilt.pipeline.training.fine_tuning import FineTuned
from hilt.pipeline.training.gathering import labelled_test
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.workspace import open_workspace
from hilt.proposers.models.encoder import resolve_device
from hilt.types import Items

Mask = np.ndarray[Any, Any]

TO_STOP, TO_CHOOSE = 0.1, 0.2  # shares of the labels that say when to stop, and which kind is best
MAX_TEXTS = 20_000  # texts that a fine-tuning reads, over all epochs
MIN_EPOCHS = 3
MAX_EPOCHS = {"contrastive": 4, "transformer": 8}


def full_kinds(settings: StudentSection) -> tuple[str, ...]:
    """List the kinds of student that the configuration allows."""
    return (settings.kind,) if settings.is_chosen else ("linear", "contrastive", "transformer")


def run_full(base: Path, kind: str, device: str) -> dict[str, Any]:
    """Train one kind of student on most labels, then on all, and measure both.

    Returns:
        `held_out_accuracy`, on labels that the first of the two did not see; `accuracy` and
        `macro_f1` of the second on the test set; `core_seconds`.
    """
    watch = Stopwatch()
    workspace = open_workspace(base, device=device)
    known, trainer = _every_label(workspace), _trainer(workspace, kind)
    place = generator(workspace.config.seed, Stream.CEILING).permutation(len(known)) / len(known)
    stopping = place < TO_STOP
    choosing = ~stopping & (place < TO_STOP + TO_CHOOSE)
    first, setting = trainer.tune(_part(known, ~stopping & ~choosing), _part(known, stopping))
    held_out = _part(known, choosing)
    task, (test, true) = workspace.task, labelled_test(workspace)
    chosen_by = scores(
        task,
        predict_rows(first, held_out.items, task),
        [task.rows.decode(held_out.targets.rows.of(p), "") for p in range(len(held_out))],
        held_out.items.contents,
    )
    predicted = predict_rows(trainer.fit(known, setting), test, task)
    found = measure(task, predicted, true, test.contents)
    return {
        "held_out_accuracy": float(chosen_by.mean()),
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        **watch.lap(),
    }


@dataclass(frozen=True, slots=True)
class LinearTrainer:
    """Trains the linear student; what is tuned is C."""

    candidates: tuple[float, ...]

    def tune(self, known: Examples, checked: Examples) -> tuple[Student, float]:
        """Find the C with which a student of `known` predicts `checked` best."""
        students = {strength: self.fit(known, strength) for strength in self.candidates}

        def loss(strength: float) -> float:
            predicted = students[strength].predict_proba(checked.items)
            true = checked.targets.rows.values.argmax(axis=1)
            return float(negative_log_likelihood(predicted, true).mean())

        best = min(self.candidates, key=loss)
        return students[best], best

    def fit(self, known: Examples, setting: float) -> Student:
        """Fit with this C."""
        return LinearStudent.fit(known, setting)


@dataclass(frozen=True, slots=True)
class EncoderTrainer:
    """Fine-tunes an encoder; what is tuned is the number of epochs."""

    files: WorkspaceFiles
    kind: str

    def tune(self, known: Examples, checked: Examples) -> tuple[Student, float]:
        """Find after how many epochs a student of `known` predicts `checked` best."""
        epochs = int(np.clip(MAX_TEXTS // len(known), MIN_EPOCHS, MAX_EPOCHS[self.kind]))
        student = self._fit(known, epochs, checked)
        return student, student.epochs

    def fit(self, known: Examples, setting: float) -> Student:
        """Fit in so many epochs."""
        return self._fit(known, int(setting))

    def _fit(self, known: Examples, epochs: int, validation: Examples | None = None) -> FineTuned:
        config = self.files.config
        student: FineTuned = STUDENTS.load(self.kind).fit(
            known,
            getattr(config.student, self.kind),
            encoder=config.student.encoder_of(self.kind, config.embedder.source),
            device=resolve_device(self.files.device),
            seed=config.seed,
            validation=validation,
            epochs=epochs,
        )
        return student


@dataclass(frozen=True, slots=True)
class OwnTrainer:
    """Trains a student of the user's own; nothing is tuned."""

    files: WorkspaceFiles
    kind: str

    def tune(self, known: Examples, _checked: Examples) -> tuple[Student, float]:
        """Fit as it is configured."""
        return self.fit(known, 0.0), 0.0

    def fit(self, known: Examples, _setting: float) -> Student:
        """Fit as it is configured."""
        config, device = self.files.config, resolve_device(self.files.device)
        settings = config.student.settings if config.student.kind == self.kind else {}
        return OwnStudent.fit(
            self.kind, known, settings, task=self.files.task, device=device, seed=config.seed
        )


def _trainer(files: WorkspaceFiles, kind: str) -> LinearTrainer | EncoderTrainer | OwnTrainer:
    if STUDENTS.is_own(kind):
        return OwnTrainer(files, kind)
    if kind in MAX_EPOCHS:
        return EncoderTrainer(files, kind)
    strength = files.config.student.regularisation
    return LinearTrainer(STRENGTHS if strength is None else (strength,))


def _every_label(files: WorkspaceFiles) -> Examples:
    key = files.pool.known_answers(files.task)
    rows = np.array(list(key), dtype=np.int64)
    items = files.pool.items(rows)
    known = Items(items.ids, items.contents, files.embeddings.open()[rows].astype(np.float32))
    return Examples(known, files.task.rows.encode(list(key.values()), items.contents))


def _part(examples: Examples, keep: Mask) -> Examples:
    rows = np.flatnonzero(keep)
    return Examples(take(examples.items, rows), examples.targets.take(rows))
