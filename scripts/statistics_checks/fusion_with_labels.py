"""The fused accuracy that is measured on the audit is that of what was measured.

All labels are audit labels, and so few that weights which are fitted on a label, and then measured
by it, would flatter. What each fold is fused to is compared with what the same does on fresh items.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from hilt.pipeline.configuration.student import SelfTraining, StudentSection
from scripts.statistics_checks.cells import BY_CHANCE, Cells, Figure, Result, judged
from scripts.statistics_checks.population import population_of, sets_at_hand
from scripts.statistics_checks.projects import finish, start

SETS, FOLDS = ("trec",), 5
AUDITS = 50
HALF_A_POINT = 0.005


def check(cells: Cells) -> list[Result]:
    """Compare the fused accuracy on the audit with that on fresh items."""
    sets = sets_at_hand(cells, SETS, "fused")
    if not sets:
        return []
    simulated = partial(simulate, folder=cells.folder, name=sets[0], runs=cells.runs(1500, 8))
    bias = cells.keep("fused", simulated)["bias"]
    slack = BY_CHANCE if cells.quick else 0.0
    name = f"fused: bias on the audit, {AUDITS} labels"
    return [judged(name, bias, -HALF_A_POINT, HALF_A_POINT, slack)]


def simulate(
    rng: np.random.Generator, *, folder: Path, name: str, runs: int
) -> Mapping[str, Figure]:
    """Train on audits alone, again and again; without self-training, which has no part in this."""
    items = population_of(folder, name)
    settings = StudentSection(kind="linear", folds=FOLDS, self_training=SelfTraining(rounds=0))
    bias = []
    for seed in rng.integers(2**31, size=runs):
        outcome = finish(items, start(items, AUDITS, 0, int(seed)), settings, int(seed))
        bias.append(float(outcome.audit_fused.mean()) - outcome.measured_fused)
    return {"bias": Figure.mean(bias)}
