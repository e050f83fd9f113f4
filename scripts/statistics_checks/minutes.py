"""The minutes that are predicted are those that it takes, however uneven people's times are."""

from __future__ import annotations

from functools import partial

import numpy as np

from hilt.pipeline.selecting.review_cost import Timings, features, review_cost
from hilt.types import Floats
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

LOG_DEVIATIONS = (0.5, 0.8, 1.0)  # of the times of like items, in natural logarithms
DECISIONS = 400
PACE = {"ann": -0.15, "bob": 0.15}  # in natural logarithms
SLOPES = np.array([0.25, 0.2, 0.1, 0.2])  # what the features add
LOW, HIGH = 0.97, 1.03


def check(cells: Cells) -> list[Result]:
    """Compare predicted with true seconds, of new items and of a decision at large."""
    results = []
    for deviation in LOG_DEVIATIONS:
        simulated = partial(simulate, deviation=deviation, runs=cells.runs(1000, 15))
        found = cells.keep(f"minutes-{deviation}", simulated)
        results += [
            judged(f"minutes: predicted over true, {name}, log-sd {deviation}", figure, LOW, HIGH)
            for name, figure in found.items()
        ]
    return results


def simulate(rng: np.random.Generator, deviation: float, runs: int) -> dict[str, Figure]:
    """Fit to log-normal times, and predict those of new items and of one like those before."""
    of_new, at_large = [], []
    mean_over_median = np.exp(deviation**2 / 2)
    for _ in range(runs):
        rows = _features(rng)
        who = rng.choice(list(PACE), DECISIONS)
        pace = np.array([PACE[name] for name in who])
        seconds = np.exp(rows @ SLOPES + pace + deviation * rng.standard_normal(DECISIONS))
        cost = review_cost(Timings(seconds, rows, who.tolist(), np.arange(DECISIONS)), rng)
        new = _features(rng)
        true = np.exp(new @ SLOPES) * mean_over_median
        of_new.append(cost.model.predict(new).sum() / true.sum())
        at_large.append(cost.mean_seconds / (np.exp(rows @ SLOPES).mean() * mean_over_median))
    return {"of new items": Figure.mean(of_new), "of a decision": Figure.mean(at_large)}


def _features(rng: np.random.Generator) -> Floats:
    """Draw items: texts of 50 to 800 characters, some doubt, every seventh shown blind."""
    return features(
        np.exp(rng.uniform(np.log(50), np.log(800), DECISIONS)).astype(np.int64),
        rng.uniform(1, 4, DECISIONS),
        rng.integers(3, size=DECISIONS) / 2,
        (rng.random(DECISIONS) < 1 / 7).astype(np.float64),
    )
