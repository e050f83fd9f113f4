"""Simulated projects, trained by hilt, whose students then predict items that nobody labelled.

The audit is drawn as hilt draws it, beside labels that are chosen by margin. A project is trained
once. Each of the students by which hilt measured the audit then predicts fresh items, of which
audits can be drawn again and again: as many for each student as it measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from hilt.distributions import pool_logarithmically
from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.students.base import take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.training.combining import Combination
from hilt.pipeline.training.cross_validation import Training, train_student
from hilt.pipeline.training.self_training import fit_plain
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.pipeline.workspace.item_draws import draw
from hilt.proposers.models.encoder import EncoderSource
from hilt.rows import Rows
from hilt.tasks.base import RowMath
from hilt.types import Floats, Integers, Items
from hilt.uncertainty import margin
from scripts.statistics_checks.population import Population

POOL_SHARE = 0.6  # of a population; the rest is fresh
AUDIT_SHARE = 0.15  # of the labels, and of the pool that is kept from the selector
STEPS = 7  # selections by margin
FIRST = 25  # labels that are chosen by the proposals alone
Right = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Project:
    """What was labelled of a population.

    Attributes:
        pool: Indices of the items that could be.
        audit: Those of the audit, first drawn first.
        chosen: Those that were selected, first selected first.
    """

    pool: Integers
    audit: Integers
    chosen: Integers


@dataclass(frozen=True, slots=True)
class Fold:
    """A student by which a part of the audit was measured, and what it says of fresh items.

    Attributes:
        measured: How many audit items it measured.
        student: Shape (n_fresh,), where the student is right.
        fused: The same, fused with the proposers.
    """

    measured: int
    student: Right
    fused: Right


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a project, as hilt measures it and in truth.

    Attributes:
        folds: The students by which the audit was measured.
        audit_fused: Shape (n_audit,), where the student of each fold, fused, is right on the audit.
        others: Shape (n_chosen,), where students are right on the chosen items, out of fold.
        items: How many the pool has.
        on_fresh: Accuracy of the student that is delivered on fresh items.
        on_fresh_fused: The same, fused.
        on_rest: Its accuracy on what is left of the pool.
    """

    folds: tuple[Fold, ...]
    audit_fused: Right
    others: Right
    items: int
    on_fresh: float
    on_fresh_fused: float
    on_rest: float

    @property
    def measured_fused(self) -> float:
        """How good on fresh items is what the audit measured, fused: each fold as it measured."""
        shares = [each.fused.mean() for each in self.folds]
        return float(np.average(shares, weights=[each.measured for each in self.folds]))

    def redraw(self, rng: np.random.Generator) -> Right:
        """Draw another audit: of fresh items, as many for each student as it measured."""
        return np.concatenate([rng.choice(each.student, each.measured) for each in self.folds])


def start(population: Population, audits: int, chosen: int, seed: int) -> Project:
    """Deal a pool, draw an audit of it, and choose the other labels in a few steps.

    Args:
        population: Whose items.
        audits: How many audit items.
        chosen: How many others.
        seed: Of the project.
    """
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.permutation(len(population))[: round(POOL_SHARE * len(population))])
    numbers = draw([population.items.ids[index] for index in pool], seed, "audit")
    order, candidates = pool[np.argsort(numbers)], pool[numbers >= AUDIT_SHARE]
    project = Project(pool, order[:audits], np.empty(0, dtype=np.int64))
    if not chosen:
        return project
    sizes = np.geomspace(min(FIRST, chosen), chosen, STEPS).round().astype(int)
    fused = pool_logarithmically([*population.proposals], population.trust.exponents)
    for size in np.unique(sizes):
        if len(project.chosen):
            fused = _proposed(population, project, len(project.chosen) / chosen)
        left = np.setdiff1d(candidates, project.chosen)
        hardest = np.argsort(-margin(fused[left]), kind="stable")
        more = left[hardest[: size - len(project.chosen)]]
        project = replace(project, chosen=np.append(project.chosen, more))
    return project


def _proposed(population: Population, project: Project, share: float) -> Floats:
    """Fuse the proposals with a student that learnt what is chosen, and so much of the audit."""
    audit = project.audit[: round(share * len(project.audit))]
    problem = make_problem(population, replace(project, audit=audit))
    student = fit_plain(problem, np.arange(len(problem)), StudentSection())
    exponents = population.trust.beside_a_student().exponents
    said = student.predict_proba(population.items)
    return pool_logarithmically([said, *population.proposals], exponents)


def make_problem(population: Population, project: Project) -> TrainingData:
    """Gather what a student learns from, as a training does."""
    labelled = np.append(project.audit, project.chosen)
    unlabelled = np.setdiff1d(project.pool, labelled)
    return TrainingData(
        task=population.task,
        labelled=take(population.items, labelled),
        values=population.values(population.truth[labelled]),
        groups=labelled,
        proposals=[*map(Rows, population.proposals[:, labelled])],
        unlabelled=take(population.items, unlabelled),
        unlabelled_proposals=[*map(Rows, population.proposals[:, unlabelled])],
        trust=population.trust,
        descriptions=population.descriptions,
        audit=np.arange(len(project.audit)),
    )


def finish(
    population: Population, project: Project, settings: StudentSection, seed: int
) -> Outcome:
    """Train a project, and compare what is measured with the truth.

    Args:
        population: Whose items.
        project: What is labelled of them.
        settings: Of a linear student.
        seed: Of the training.
    """
    problem = make_problem(population, project)
    fresh = np.setdiff1d(np.arange(len(population)), project.pool)
    rest = np.setdiff1d(project.pool, np.append(project.audit, project.chosen))
    with _watched(population, fresh) as seen:
        training = _train(problem, settings, seed)
    truth, n_audit = problem.strata, len(project.audit)
    said = training.student.predict_proba(population.items)
    fused = pool_logarithmically([said, *population.proposals], training.fusion)
    right = said.argmax(axis=1) == population.truth
    assert sum(each.measured for each in seen) == n_audit
    return Outcome(
        folds=tuple(seen),
        audit_fused=training.audit_fused.values.argmax(axis=1) == truth[:n_audit],
        others=training.out_of_fold.values[n_audit:].argmax(axis=1) == truth[n_audit:],
        items=len(project.pool),
        on_fresh=float(right[fresh].mean()),
        on_fresh_fused=float((fused.argmax(axis=1) == population.truth)[fresh].mean()),
        on_rest=float(right[rest].mean()),
    )


def _train(problem: TrainingData, settings: StudentSection, seed: int) -> Training:
    return train_student(
        problem,
        settings,
        encoder=EncoderSource("none"),
        device="cpu",
        rng=np.random.default_rng(seed),
    )


@contextmanager
def _watched(population: Population, fresh: Integers) -> Iterator[list[Fold]]:
    """Let every student by which an audit is measured predict fresh items as well.

    A training keeps none of them. What it fuses is the audit, so the student that predicted last
    before that is the one that is measured.
    """
    items, truth = take(population.items, fresh), population.truth[fresh]
    proposals = [*map(Rows, population.proposals[:, fresh])]
    predict, fuse = LinearStudent.predict_proba, Combination.fused
    last: list[LinearStudent] = []
    seen: list[Fold] = []

    def predict_proba(student: LinearStudent, asked: Items) -> Floats:
        last[:] = [student]
        return predict(student, asked)

    def fused(combination: Combination, student: Rows, of_audit: Said, math: RowMath) -> Rows:
        said = combination.student({LinearStudent.kind: Rows(predict(last[0], items))}, math)
        both = fuse(combination, said, proposals, math)
        right = [each.values.argmax(axis=1) == truth for each in (said, both)]
        seen.append(Fold(len(student), *right))
        return fuse(combination, student, of_audit, math)

    with (
        patch.object(LinearStudent, "predict_proba", predict_proba),
        patch.object(Combination, "fused", fused),
    ):
        yield seen
