"""A label does not reach the student that must not know it by way of a proposer that learnt it.

Some labels are wrong, each any of the wrong ones with the same chance. What students say of an item
out of fold must then lean no more to the wrong label that it has than to any other wrong one. The
only proposer is `neighbours`, whose guesses the students learn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from hilt.pipeline.configuration.sections import Student
from hilt.pipeline.fusion import Trust
from hilt.pipeline.students.problem import Problem
from hilt.pipeline.students.training import train_student
from hilt.proposers.base import Context
from hilt.proposers.encoder import EncoderSource
from hilt.proposers.neighbours import Neighbours
from hilt.types import Floats, Integers, Label
from scripts.statistics_checks.cells import Cells, Figure, Result, judged
from scripts.statistics_checks.planted import PlantedEmbedder
from scripts.statistics_checks.population import planted
from scripts.statistics_checks.projects import make_problem, start

ITEMS, LABELLED, WRONG = 800, 100, 0.2
FOLDS = (2, 5)
LEAST = 0.005  # that matters: half a point


def check(cells: Cells) -> list[Result]:
    """Measure how far students lean to wrong labels that they must not know."""
    results = []
    for folds in FOLDS[:1] if cells.quick else FOLDS:
        found = cells.keep(
            f"neighbours-{folds}", partial(simulate, folds=folds, runs=cells.runs(1000, 6))
        )
        name = f"neighbours: lean to an item's own wrong label, {folds} folds"
        results.append(judged(name, found["lean"], -LEAST, LEAST))
    return results


def simulate(rng: np.random.Generator, folds: int, runs: int) -> Mapping[str, Figure]:
    """Plant wrong labels, train, and compare what is said of them out of fold."""
    lean = []
    for seed in range(runs):
        population = planted(rng, ITEMS)
        problem = make_problem(population, start(population, LABELLED, 0, seed))
        k = problem.n_labels
        wrong = np.flatnonzero(rng.random(LABELLED) < WRONG)
        shift = rng.integers(1, k, size=len(wrong))
        truth = problem.positions.copy()
        problem.positions[wrong] = (truth[wrong] + shift) % k
        training = train_student(
            _with_neighbours(problem),
            Student(kind="linear", folds=folds),
            encoder=EncoderSource("none"),
            device="cpu",
            rng=rng,
        )
        said = training.out_of_fold[wrong]
        own = said.argmax(axis=1) == problem.positions[wrong]
        of_truth = said.argmax(axis=1) == truth[wrong]
        others = (1.0 - own - of_truth) / (k - 2)
        lean.append(float((own - others).mean()))
    return {"lean": Figure.mean(lean)}


def _with_neighbours(problem: Problem) -> Problem:
    """Let `neighbours` propose in the place of others; it learns anew for each fold."""
    names = problem.descriptions.texts
    proposer = Neighbours(Context([Label(name, name) for name in names], PlantedEmbedder()))

    def taught(rows: Integers) -> Floats:
        known = problem.known(rows).items
        proposer.learn(known, problem.positions[rows])
        return proposer.propose(problem.unlabelled)[None]

    said = taught(np.arange(len(problem)))
    return replace(
        problem,
        proposals=proposer.propose(problem.labelled)[None],
        unlabelled_proposals=said,
        trust=Trust(np.ones(1), np.ones(1)),
        retaught=taught,
    )
