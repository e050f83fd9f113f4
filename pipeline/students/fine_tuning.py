"""When and on what an encoder is fine-tuned: examples, and the number of epochs."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from hilt.pipeline.configuration.sections import Student as StudentSettings
from hilt.pipeline.students.base import STUDENTS, Examples, Student, join
from hilt.pipeline.students.problem import Problem, assign_folds
from hilt.pipeline.students.self_training import SelfTraining
from hilt.progress import Advance
from hilt.types import Integers

STOPPING_FOLDS = 7  # one of them is held out to say when to stop
LEAST_FOR_VALIDATION = 1000  # with fewer, a seventh of them is worth more to learn from


class FineTuned(Student, Protocol):
    """A student that was made in epochs."""

    @property
    def epochs(self) -> int:
        """Passes over the examples that made it."""
        ...


@dataclass
class FineTuner:
    """Fine-tunes on folds with early stop, then on everything for as long as the folds needed.

    Attributes:
        kind: `contrastive` or `transformer`.
        problem: What to learn from.
        settings: The `student` section of the configuration.
        self_training: Gives as many guessed examples as there are labels; None for none.
        encoder: What to start from.
        device: Where to train.
        seed: Of every training.
        advance: Called with 1 after every epoch.
        epochs_: What early stop found on each fold.
    """

    kind: str
    problem: Problem
    settings: StudentSettings
    self_training: SelfTraining | None
    encoder: str
    device: str
    seed: int
    advance: Advance | None = None
    epochs_: list[int] = field(default_factory=list)

    def fit_and_stop(self, rows: Integers) -> FineTuned:
        """Train on most of the rows, and stop when the others are no longer predicted better."""
        if len(rows) < LEAST_FOR_VALIDATION:
            return self._train(rows, None, None)
        held_out = self._fold_of(rows) == 0
        student = self._train(rows[~held_out], self.problem.known(rows[held_out]), None)
        self.epochs_.append(student.epochs)
        return student

    def fit(self, rows: Integers) -> FineTuned:
        """Train on all of the rows for as many epochs as the folds needed."""
        epochs = round(float(np.mean(self.epochs_))) if self.epochs_ else None
        return self._train(rows, None, epochs)

    def _fold_of(self, rows: Integers) -> Integers:
        problem, rng = self.problem, np.random.default_rng(self.seed)
        return assign_folds(problem.positions[rows], problem.groups[rows], STOPPING_FOLDS, rng)

    def _train(self, rows: Integers, validation: Examples | None, epochs: int | None) -> FineTuned:
        """Fine-tune on labels and guesses; halfway the student itself guesses anew.

        A linear teacher is soon behind its pupil. Early stop looks at the second half only.
        """
        most = epochs or getattr(self.settings, self.kind).epochs
        known = [self.problem.known(rows, self.settings.balance), self.problem.described()]
        if self.self_training is None:
            return self._fit(known, most, validation)
        guesses = self.self_training.guess(self.self_training.fit(rows), len(rows), self.seed)
        halfway = None
        if most > 1:
            halfway = self._fit([*known, guesses], most // 2)
            guesses = self.self_training.guess(halfway, len(rows), self.seed + 1)
        return self._fit([*known, guesses], most - most // 2, validation, halfway)

    def _fit(
        self,
        parts: list[Examples],
        epochs: int,
        validation: Examples | None = None,
        start: FineTuned | None = None,
    ) -> FineTuned:
        student: FineTuned = STUDENTS.load(self.kind).fit(
            join(parts),
            getattr(self.settings, self.kind),
            encoder=self.encoder,
            start=start,
            device=self.device,
            seed=self.seed,
            validation=validation,
            epochs=epochs,
            advance=self.advance,
        )
        gc.collect()  # optimiser and schedule refer to each other, and hold twice the model
        return student
