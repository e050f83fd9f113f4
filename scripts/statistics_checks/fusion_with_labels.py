"""The fused accuracy that is measured on the audit is that of what was measured.

All labels are audit labels, and so few that weights which are fitted on a label, and then measured
by it, would flatter. What each fold is fused to is compared with what the same does on fresh items.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from hilt.pipeline.configuration.sections import SelfTraining, Student
from scripts.statistics_checks.cells import BY_CHANCE, Cells, Figure, Result, judged
from scripts.statistics_checks.population import population_of, sets_at_hand
from scripts.statistics_checks.projects import finish, start

SETS, FOLDS = ("trec",), 5
AUDITS = (20, 50)
HALF_A_POINT = 0.005


def check(cells: Cells) -> list[Result]:
    """Compare the fused accuracy on the audit with that on fresh items."""
    results: list[Result] = []
    sets = sets_at_hand(cells, SETS, "fused")
    if not sets:
        return []
    for audits in AUDITS[1:] if cells.quick else AUDITS:
        simulated = partial(
            simulate,
            folder=cells.folder,
            name=sets[0],
            audits=audits,
            runs=cells.runs(1500, 8),
        )
        found = cells.keep(f"fused-{audits}", simulated)
        exact = audits >= 50 and not cells.quick  # fewer labels vary too much for half a point
        slack = 0.0 if exact else BY_CHANCE
        name = f"fused: bias on the audit, {audits} labels"
        results.append(judged(name, found["bias"], -HALF_A_POINT, HALF_A_POINT, slack))
    return results


def simulate(
    rng: np.random.Generator, *, folder: Path, name: str, audits: int, runs: int
) -> Mapping[str, Figure]:
    """Train on audits alone, again and again; without self-training, which has no part in this."""
    items = population_of(folder, name)
    settings = Student(kind="linear", folds=FOLDS, self_training=SelfTraining(rounds=0))
    bias = []
    for seed in rng.integers(2**31, size=runs):
        outcome = finish(items, start(items, audits, 0, int(seed)), settings, int(seed))
        bias.append(float(outcome.audit_fused.mean()) - outcome.measured_fused)
    return {"bias": Figure.mean(bias)}
