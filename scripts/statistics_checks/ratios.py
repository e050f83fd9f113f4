"""The intervals of ratios of labels hold the truth with few seeds.

In two arms the distance to the highest accuracy falls with the root of the labels; by seed a curve
is higher or lower as a whole, and at each count. The true ratios are those of the curves that
infinitely many seeds have on average.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from hilt.pipeline.benchmarking.ratios import Ratio, ratio_over_budgets, ratio_to_target
from hilt.types import Floats
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

LABELS = np.array([20, 30, 45, 70, 105, 160, 240, 360, 540])
FACTORS = (0.9, 1.5)  # of the distance to the highest accuracy, by arm
HIGHEST, DISTANCE = 0.92, 0.7
TARGET = 0.8
BY_SEED, BY_COUNT = 0.008, 0.008  # standard deviations of an accuracy
SEEDS = (3, 5, 10)
LOW, HIGH = 0.91, 0.97


def check(cells: Cells) -> list[Result]:
    """Say how often the intervals of both kinds of ratio hold the truth."""
    results = []
    for seeds in SEEDS[:2] if cells.quick else SEEDS:
        simulated = partial(simulate, seeds=seeds, runs=cells.runs(1500, 40))
        found = cells.keep(f"ratios-{seeds}", simulated)
        results += [
            judged(f"ratios: coverage {name}, {seeds} seeds", figure, LOW, HIGH)
            for name, figure in found.items()
        ]
    return results


def simulate(rng: np.random.Generator, seeds: int, runs: int) -> dict[str, Figure]:
    """Run both arms with so many seeds, and look whether the intervals hold the true ratios."""
    means = [HIGHEST - factor * DISTANCE / np.sqrt(LABELS) for factor in FACTORS]
    true = _ratios([np.tile(mean, (3, 1)) for mean in means])
    held: dict[str, list[bool]] = {name: [] for name in true}
    for _ in range(runs):
        found = _ratios([_curves(rng, mean, seeds) for mean in means])
        for name, ratio in found.items():
            if ratio.low is not None and ratio.high is not None:
                held[name].append(ratio.low <= (true[name].value or 0) <= ratio.high)
    return {name: Figure.share(each) for name, each in held.items()}


def _ratios(arms: list[Floats]) -> dict[str, Ratio]:
    mine, theirs = arms
    return {
        "at a target": ratio_to_target(LABELS, mine, LABELS, theirs, TARGET),
        "over all budgets": ratio_over_budgets(LABELS, mine, LABELS, theirs),
    }


def _curves(rng: np.random.Generator, mean: Floats, seeds: int) -> Floats:
    as_a_whole = BY_SEED * rng.standard_normal((seeds, 1))
    return mean + as_a_whole + BY_COUNT * rng.standard_normal((seeds, len(mean)))
