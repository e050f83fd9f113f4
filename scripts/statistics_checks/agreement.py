"""The intervals of agreement hold the truth also where few items are shared.

Reviewers are right on 97 % of the items and err evenly over the other labels, so that every
coefficient has a true value that is known.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from hilt.review.agreement import Estimate, measure_agreement
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

RIGHT = 0.97
LABELS = ("a", "b", "c")
SHARED = (10, 20)
LOW, HIGH = 0.93, 0.98


def check(cells: Cells) -> list[Result]:
    """Say how often the intervals of per cent, kappa and alpha hold the truth."""
    results = []
    for items in SHARED:
        simulated = partial(simulate, items=items, runs=cells.runs(4000, 60))
        found = cells.keep(f"agreement-{items}", simulated)
        results += [
            judged(f"agreement: coverage of {name}, {items} shared items", figure, LOW, HIGH)
            for name, figure in found.items()
        ]
    return results


def simulate(rng: np.random.Generator, items: int, runs: int) -> dict[str, Figure]:
    """Let two reviewers label the same items, and look whether the intervals hold the truth."""
    k = len(LABELS)
    percent = RIGHT**2 + (1 - RIGHT) ** 2 / (k - 1)
    beyond_chance = (percent - 1 / k) / (1 - 1 / k)  # every label is as frequent
    held: dict[str, list[bool]] = {"per cent": [], "kappa": [], "alpha": []}
    for _ in range(runs):
        truth = rng.integers(k, size=items)
        wrong = rng.random((items, 2)) > RIGHT
        ratings = (truth[:, None] + wrong * rng.integers(1, k, size=(items, 2))) % k
        found = measure_agreement(ratings, ("ann", "bob"), LABELS, rng)
        held["per cent"].append(_holds(found.percent, percent))
        held["kappa"].append(_holds(found.pairs[0].kappa, beyond_chance))
        held["alpha"].append(_holds(found.alpha, beyond_chance))
    return {name: Figure.share(each) for name, each in held.items()}


def _holds(estimate: Estimate | None, truth: float) -> bool:
    """Tell whether an interval holds the truth; one that is not shown misleads nobody."""
    return estimate is None or estimate.low <= truth <= estimate.high
