"""A label does not reach the student that must not know it by way of a proposer that learnt it.

Some labels are wrong, each any of the wrong ones with the same chance. What students say of an item
out of fold must then lean no more to the wrong label that it has than to any other wrong one, but
for a little: as folds have the same share of every label, the others have one more of an item's
own. So students who learn from the guesses of `neighbours`, the only proposer, are compared with
students in the same folds who do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from hilt.pipeline.configuration.student import SelfTraining, StudentSection
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.training.cross_validation import train_student
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.proposers.base import Context
from hilt.proposers.models.encoder import EncoderSource
from hilt.proposers.neighbours import Neighbours
from hilt.rows import Rows
from hilt.types import Integers, Label
from scripts.statistics_checks.cells import Cells, Figure, Result, judged
from scripts.statistics_checks.planted import PlantedEmbedder
from scripts.statistics_checks.population import planted
from scripts.statistics_checks.projects import make_problem, start

ITEMS, LABELLED, WRONG = 800, 100, 0.2
FOLDS = 2
LEAST = 0.005  # that matters: half a point


def check(cells: Cells) -> list[Result]:
    """Measure how far students lean to wrong labels that they must not know."""
    found = cells.keep("neighbours", partial(simulate, runs=cells.runs(1500, 6)))
    name = "neighbours: lean to an item's own wrong label"
    return [judged(name, found["lean"], -LEAST, LEAST)]


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Figure]:
    """Plant wrong labels, train, and compare what is said of them out of fold."""
    lean = []
    alone = StudentSection(kind="linear", folds=FOLDS, self_training=SelfTraining(rounds=0))
    helped = StudentSection(kind="linear", folds=FOLDS)
    for seed in range(runs):
        population = planted(rng, ITEMS)
        problem = make_problem(population, start(population, LABELLED, 0, seed))
        truth = problem.strata
        wrong = np.flatnonzero(rng.random(LABELLED) < WRONG)
        shift = rng.integers(1, problem.n_labels, size=len(wrong))
        given = truth.copy()
        given[wrong] = (truth[wrong] + shift) % problem.n_labels
        problem = _with_neighbours(replace(problem, values=population.values(given)))
        leans = [_lean(problem, truth, wrong, each, seed) for each in (helped, alone)]
        lean.append(leans[0] - leans[1])
    return {"lean": Figure.mean(lean)}


def _lean(
    problem: TrainingData, truth: Integers, wrong: Integers, settings: StudentSection, seed: int
) -> float:
    """Say how much oftener items get their own wrong label out of fold than another wrong one."""
    training = train_student(
        problem,
        settings,
        encoder=EncoderSource("none"),
        device="cpu",
        rng=np.random.default_rng(seed),
    )
    said = training.out_of_fold.values[wrong].argmax(axis=1)
    own, right = said == problem.strata[wrong], said == truth[wrong]
    others = (1.0 - own - right) / (problem.n_labels - 2)
    return float((own - others).mean())


def _with_neighbours(problem: TrainingData) -> TrainingData:
    """Let `neighbours` propose in the place of others; it learns anew for each fold."""
    names = problem.descriptions.texts
    proposer = Neighbours(Context([Label(name, name) for name in names], PlantedEmbedder()))

    def taught(rows: Integers) -> Said:
        known = problem.known(rows)
        proposer.learn(known.items, known.targets)
        return [Rows(proposer.propose(problem.unlabelled))]

    said = taught(np.arange(len(problem)))
    return replace(
        problem,
        proposals=[Rows(proposer.propose(problem.labelled))],
        unlabelled_proposals=said,
        trust=Trust(np.ones(1), np.ones(1)),
        retaught=taught,
    )
