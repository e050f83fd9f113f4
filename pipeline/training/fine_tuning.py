"""Fine-tune one student per fold, complete each with the other labels, and average them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from hilt.pipeline.configuration.student import STUDENTS, FineTuning, StudentSection
from hilt.pipeline.students.base import Examples, Student, join
from hilt.pipeline.training.self_training import SelfTraining
from hilt.pipeline.training.training_data import TrainingData, assign_folds
from hilt.progress import Advance
from hilt.proposers.models.encoder import EncoderSource
from hilt.types import Integers

STOPPING_FOLDS = 7  # one of them is held out to say when to stop
MIN_FOR_VALIDATION = 1000  # with fewer, a seventh of them is worth more to learn from
LAST_EPOCHS = 2  # of the student of each fold, on the labels of the others
MANY_LABELS, MANY_CHARACTERS = 200, 20_000  # from here on one: a second takes long, and gains less


class FineTuned(Student, Protocol):
    """A student that was made in epochs."""

    @property
    def epochs(self) -> int:
        """Passes over the examples that made it."""
        ...


@dataclass
class FineTuner:
    """Fine-tunes on folds, and makes the student of all labels of what it trained there.

    Attributes:
        kind: `contrastive` or `transformer`.
        data: What to learn from.
        settings: The `student` section of the configuration.
        self_training: Gives as many guessed examples as there are labels; None for none.
        encoder: What to start from.
        device: Where to train.
        seed: Of every training.
        advance: Called with 1 after every epoch.
        students_: Those of the folds, in their order, where they can be averaged.
    """

    kind: str
    data: TrainingData
    settings: StudentSection
    self_training: SelfTraining | None
    encoder: EncoderSource
    device: str
    seed: int
    advance: Advance | None = None
    students_: list[FineTuned] = field(default_factory=list)

    def fit(self, rows: Integers) -> FineTuned:
        """Train on the rows of a fold; of many, hold some out to say when to stop."""
        validation = None
        if len(rows) >= MIN_FOR_VALIDATION and self._epochs > 2:  # else nothing to choose from
            held_out = self._fold_of(rows) == 0
            rows, validation = rows[~held_out], self.data.known(rows[held_out])
        student = self._train(rows, validation)
        if self.is_averaged:
            self.students_.append(student)
        return student

    @property
    def is_averaged(self) -> bool:
        """Whether the student of all labels is the mean of those of the folds."""
        section: FineTuning = getattr(self.settings, self.kind)
        return section.averaged

    def complete(self, place: int, rows: Integers) -> FineTuned:
        """Go on with the student of a fold, on more labels than it has seen.

        It missed a part of them, and chosen labels have few like them.

        Args:
            place: Of the fold.
            rows: The labels that it may know.
        """
        student = self.students_[place]
        examples = self._examples(rows, student, self.seed + 2)
        completed = self._fit(examples, last_epochs(self.data), start=student)
        self.students_[place] = completed
        return completed

    def finish(self) -> FineTuned:
        """Average the students of the folds, or train anew on all labels.

        Source: Wortsman et al. 2022, the uniform soup.
        """
        if not self.is_averaged:
            return self.fit(np.arange(len(self.data)))
        mean: FineTuned = STUDENTS.load(self.kind).average(self.students_)
        return mean

    def _fold_of(self, rows: Integers) -> Integers:
        data, rng = self.data, np.random.default_rng(self.seed)
        return assign_folds(data.strata[rows], data.groups[rows], STOPPING_FOLDS, rng)

    @property
    def _epochs(self) -> int:
        epochs: int = getattr(self.settings, self.kind).epochs
        return epochs

    def _train(self, rows: Integers, validation: Examples | None) -> FineTuned:
        """Fine-tune on labels and guesses; halfway the student itself guesses anew.

        A linear teacher is soon behind its pupil. Early stop looks at the second half only.
        """
        if self.self_training is None:
            return self._fit(self._examples(rows), self._epochs, validation)
        teacher, halfway = self.self_training.fit(rows), None
        half = self._epochs // 2
        if half:
            halfway = self._fit(self._examples(rows, teacher, self.seed), half)
        examples = self._examples(rows, halfway or teacher, self.seed + 1)
        return self._fit(examples, self._epochs - half, validation, halfway)

    def _examples(self, rows: Integers, teacher: Student | None = None, seed: int = 0) -> Examples:
        """Give the labels at some rows, the descriptions, and as many guesses of a teacher."""
        known = [self.data.known(rows, self.settings.balance), self.data.described()]
        if self.self_training is None or teacher is None:
            return join(known)
        return join(
            [
                *known,
                self.self_training.guess(teacher, self.data.proposed(rows), len(rows), seed),
            ]
        )

    def _fit(
        self,
        examples: Examples,
        epochs: int,
        validation: Examples | None = None,
        start: FineTuned | None = None,
    ) -> FineTuned:
        student: FineTuned = STUDENTS.load(self.kind).fit(
            examples,
            getattr(self.settings, self.kind),
            encoder=self.encoder,
            start=start,
            device=self.device,
            seed=self.seed,
            validation=validation,
            epochs=epochs,
            advance=self.advance,
        )
        return student


def total_epochs(kind: str, settings: StudentSection, data: TrainingData, n_folds: int) -> int:
    """Count the epochs of all trainings of a kind, at most."""
    section: FineTuning = getattr(settings, kind)
    epochs = section.epochs
    if section.averaged:
        return (epochs + last_epochs(data)) * n_folds
    measured = n_folds if len(data.audit) else 0  # trained anew, as the student of all labels is
    return epochs * (n_folds + measured + 1)


def last_epochs(data: TrainingData) -> int:
    """Say for how many epochs the student of a fold goes on with the labels that it missed."""
    characters = sum(map(len, data.labelled.texts))
    slow = len(data) >= MANY_LABELS and characters >= MANY_CHARACTERS
    return 1 if slow else LAST_EPOCHS
