"""A perfectly calibrated model is not called badly calibrated because there are few labels."""

from __future__ import annotations

from functools import partial

import numpy as np

from hilt.distributions import softmax
from hilt.metrics import measure
from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.values import value_of
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

LABELS = 6
TASK = Single(tuple(map(str, range(LABELS))))
SPREAD = 1.8  # of the logits: the model is right on about two thirds of the items
AUDITS = (20, 50, 100, 300)
TOO_SURE = 2.0  # by what another model multiplies its logits
ABOUT_ZERO = 0.03  # few labels show nothing nearer to 0; unmended it is .2 with 20 labels
LOW, HIGH = 0.03, 0.07  # of the calibrated models may lie beyond a limit for 5 %


def check(cells: Cells) -> list[Result]:
    """Show the calibration error of a calibrated model, and of one that is too sure."""
    results = []
    for labels in AUDITS:
        simulated = partial(simulate, labels=labels, sharpness=1.0, runs=cells.runs(2000, 50))
        found = cells.keep(f"calibration-{labels}", simulated)
        error, beyond = found["error"], found["beyond"]
        results += [
            judged(
                f"calibration: error of a calibrated model, {labels} labels", error, 0, ABOUT_ZERO
            ),
            judged(f"calibration: calibrated beyond the limit, {labels} labels", beyond, LOW, HIGH),
        ]
    too_sure = partial(simulate, labels=300, sharpness=TOO_SURE, runs=cells.runs(1000, 50))
    found = cells.keep("calibration-too-sure", too_sure)
    name = "calibration: too sure beyond the limit, 300 labels"
    return [*results, judged(name, found["beyond"], 0.95, 1)]


def simulate(
    rng: np.random.Generator, labels: int, sharpness: float, runs: int
) -> dict[str, Figure]:
    """Draw true labels from what a model says, and measure one that is as sure or surer."""
    error, beyond = [], []
    for _ in range(runs):
        logits = SPREAD * rng.standard_normal((labels, LABELS))
        likely = softmax(logits).astype(np.float64)
        truth = (likely.cumsum(axis=1) < rng.random((labels, 1))).sum(axis=1)
        values = [value_of(TASK.labels[label]) for label in np.minimum(truth, LABELS - 1)]
        found = measure(TASK, Rows(softmax(sharpness * logits)), values, [""] * labels)
        error.append(found.calibration_error)
        beyond.append(found.calibration_error > found.calibration_limit)
    return {"error": Figure.mean(error), "beyond": Figure.share(beyond)}
