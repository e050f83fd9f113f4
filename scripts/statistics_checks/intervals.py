"""The intervals of both accuracies hold the truth: on items like the pool, and on what is left.

The truth is what the student that is delivered does on items that nobody labelled. Audits of 20 to
100 items stand beside labels that were chosen by margin, 85 of each 100 labels, on two benchmarks;
folds are 5, or 2 as where an encoder is fine-tuned. Redrawn audits of one project share its
students, so the standard errors are over projects. A redrawn audit knows nothing of the folds that
the first was dealt into, so that one is compared with it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.measuring.two_accuracies import accuracy_on_the_pool, accuracy_on_the_rest
from scripts.statistics_checks.cells import BY_CHANCE, Cells, Figure, Result, judged
from scripts.statistics_checks.population import population_of, sets_at_hand
from scripts.statistics_checks.projects import AUDIT_SHARE, Outcome, finish, start

SETS = ("trec", "agnews")
AUDITS, FOLDS = (20, 50, 100), (2, 5)
PROJECTS, REDRAWS = 20, 100  # on each of the sets
LEAST, LOW, HIGH = 0.91, 0.935, 0.97  # of any coverage, and of the mean of all
HALF_A_POINT = 0.005


def check(cells: Cells) -> list[Result]:
    """Say how often the intervals hold the truth, for each number of audit labels and folds."""
    sets = sets_at_hand(cells, SETS, "intervals")
    if not sets:
        return []
    slack = BY_CHANCE if cells.quick else 0.0  # these limits are for many runs
    results, coverages, own = [], [], []
    for audits in AUDITS[:1] if cells.quick else AUDITS:
        for folds in FOLDS[:1] if cells.quick else FOLDS:
            found = _on_every_set(cells, sets, audits, folds)
            labels = f"{audits} audit labels, {folds} folds"
            for where in ("items like the pool", "what is left"):
                coverages.append(found[where])
                name = f"intervals: coverage on {where}, {labels}"
                results.append(judged(name, found[where], LEAST, 1, slack))
            name = f"intervals: bias of the fused accuracy, {labels}"
            results.append(judged(name, found["fused"], -HALF_A_POINT, HALF_A_POINT))
            own.append(found["own"])
    mean = Figure.average(coverages, alike=True)
    name = f"intervals: mean coverage of these {len(coverages)}"
    results.append(judged(name, mean, LOW, HIGH, slack))
    name = "intervals: bias of the audit that a student's folds were made with"
    return [*results, judged(name, Figure.average(own), -HALF_A_POINT, HALF_A_POINT)]


def _on_every_set(cells: Cells, sets: Sequence[str], audits: int, folds: int) -> dict[str, Figure]:
    """Simulate on each set of items, and average."""
    found = []
    for name in sets:
        simulated = partial(
            simulate,
            folder=cells.folder,
            name=name,
            audits=audits,
            folds=folds,
            projects=cells.runs(PROJECTS, 4),
        )
        found.append(cells.keep(f"intervals-{name}-{audits}-{folds}", simulated))
    return {key: Figure.average([each[key] for each in found]) for key in found[0]}


def simulate(
    rng: np.random.Generator, *, folder: Path, name: str, audits: int, folds: int, projects: int
) -> Mapping[str, Figure]:
    """Train projects, and redraw the audit of each."""
    items = population_of(folder, name)
    settings = StudentSection(kind="linear", folds=folds)
    chosen = round(audits * (1 - AUDIT_SHARE) / AUDIT_SHARE)
    held, bias, own = [], [], []
    for seed in range(projects):
        outcome = finish(items, start(items, audits, chosen, seed), settings, seed)
        held.append([_holds(outcome, rng) for _ in range(REDRAWS)])
        bias.append(outcome.measured_fused - outcome.on_fresh_fused)
        own.append(float(outcome.audit_fused.mean()) - outcome.measured_fused)
    on_pool, on_rest = np.moveaxis(np.array(held, dtype=np.float64), 2, 0)
    return {
        "items like the pool": Figure.clustered(on_pool),
        "what is left": Figure.clustered(on_rest),
        "fused": Figure.mean(bias),
        "own": Figure.mean(own),
    }


def _holds(outcome: Outcome, rng: np.random.Generator) -> Sequence[bool]:
    """Redraw the audit, and tell whether the intervals of both accuracies hold the truth."""
    drawn = outcome.redraw(rng)
    on_pool = accuracy_on_the_pool(drawn)
    on_rest = accuracy_on_the_rest(drawn, outcome.others, outcome.items)
    assert on_rest is not None
    return (
        on_pool.low <= outcome.on_fresh <= on_pool.high,
        on_rest.low <= outcome.on_rest <= on_rest.high,
    )
