"""Learning also from items that nobody labelled, where the fused proposal is sure of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.students.base import Examples, Student, join, predict_rows, take
from hilt.pipeline.students.linear import LinearStudent, usual_regularisation
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.types import Floats, Integers


def confident_share(predicted: Integers, confidence: Floats, share: float) -> Integers:
    """Pick the more confident share of every predicted label.

    Per label, because a single threshold would pick only the easy ones.

    Args:
        predicted: Shape (n,), the labels, or whatever strata answers fall into.
        confidence: Shape (n,), how sure these predictions are.
        share: In (0, 1]; every label that is predicted at all keeps at least one item.

    Returns:
        Indices, ascending.

    Source: Zou et al. 2018, class-balanced self-training, section 4.2.
    """
    order = np.lexsort((-confidence, predicted))
    counts = np.bincount(predicted)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(order)) - starts[predicted[order]]  # place within its label
    return np.sort(order[rank < np.ceil(share * counts[predicted[order]])])


class Learn(Protocol):
    """Fits a student to examples."""

    def __call__(self, examples: Examples, start: Student | None = None) -> Student:
        """Fit one.

        Args:
            examples: What it learns.
            start: A student that it fitted to fewer examples, from which it may begin.
        """
        ...


@dataclass(frozen=True, slots=True)
class SelfTraining:
    """Teaches a student with its own confident guesses.

    Attributes:
        data: What to learn from.
        settings: The `student` section of the configuration.
        fusion: Shape (1 + p,), the exponents of the student and of each proposer in a guess.
        weight: What a guess counts.
        learn: How a student is fitted; None for a linear one.
    """

    data: TrainingData
    settings: StudentSection
    fusion: Floats
    weight: float
    learn: Learn | None = None

    def fit(self, rows: Integers) -> Student:
        """Fit, guess the unlabelled items with the proposal's help, fit on both, and again."""
        learn = self.learn or linear_learner(self.data, self.settings)
        known = known_examples(self.data, rows, self.settings)
        student = learn(known)
        proposed = self.data.proposed(rows)
        for _ in range(self.settings.self_training.rounds):
            student = learn(join([known, self.guess(student, proposed)]), student)
        return student

    def guess(
        self, student: Student, proposed: Said, most: int | None = None, seed: int = 0
    ) -> Examples:
        """Label the unlabelled items that the student and the proposal are sure of.

        Args:
            student: Who guesses.
            proposed: What proposers say of the unlabelled items that know no other labels than the
                student.
            most: Give no more than these, of no more items than that takes; about all when None.
            seed: Of the draw of those items.
        """
        amount = self.settings.self_training
        asked = np.arange(len(self.data.unlabelled))
        if most is not None:
            asked = np.random.default_rng(seed).permutation(asked)[: math.ceil(most / amount.share)]
        rows = self.data.task.rows
        predicted = predict_rows(student, take(self.data.unlabelled, asked), self.data.task)
        fused = rows.pool([predicted, *(each.take(asked) for each in proposed)], self.fusion)
        sure = confident_share(rows.strata(fused), rows.confidence(fused), amount.share)[:most]
        targets = fused.take(sure)
        return self.data.guessed(
            asked[sure], targets if amount.soft else rows.hardened(targets), self.weight
        )


def known_examples(data: TrainingData, rows: Integers, settings: StudentSection) -> Examples:
    """Give the labelled items at some rows and the descriptions."""
    return join([data.known(rows, settings.balance), data.described()])


def linear_learner(data: TrainingData, settings: StudentSection) -> Learn:
    """Fit linear students, with C as it is configured, or as is usual for so many labels."""
    strength = settings.regularisation or usual_regularisation(data.n_labels)

    def learn(examples: Examples, start: Student | None = None) -> Student:
        return LinearStudent.fit(examples, strength, cast("LinearStudent | None", start))

    return learn


def fit_plain(data: TrainingData, rows: Integers, settings: StudentSection) -> Student:
    """Fit a linear student to the labelled items at some rows and to the descriptions."""
    return linear_learner(data, settings)(known_examples(data, rows, settings))
