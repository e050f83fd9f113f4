"""What a benchmark came to: curves of every arm, and hilt compared with each other one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hilt.media.text import normalise
from hilt.metrics import measure
from hilt.pipeline.benchmarking.arms import Row
from hilt.pipeline.benchmarking.curves import Curve, LabelsTo, area, labels_to, tally
from hilt.pipeline.benchmarking.plan import BenchmarkPlan
from hilt.pipeline.benchmarking.ratios import Ratio, ratio_over_budgets, ratio_to_target
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.training.gathering import labelled_test
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.types import Floats, Integers

TARGETS = ("0.90", "0.95", "0.99")


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """What came out.

    Attributes:
        seeds: The most that an arm has; `arms` says how many each has.
        budget: Labels at which all arms but `plain` end.
        overlap: How many test texts also stand in the pool: `exact`, white space at the ends set
            aside, and `normalised`, case, width and all white space set aside.
        full_kind: The kind of student that predicts labels of the pool best that it did not see,
            once it has learnt from most of the others.
        full_accuracy: Test accuracy of that kind, trained on every label of the pool.
        full: Of each kind that was tried, `held_out_accuracy`, which chose, and `accuracy`.
        arms: By name: `seeds`, `labels`, `accuracy`, `macro_f1` (means over seeds), 95 %
            intervals (None for one seed), `minutes`, the accuracy by seed, and `hours` of one
            core. `proposer` is what the proposals have without any label, `all` the ceiling.
        labels_to: By share of `full_accuracy`, then by arm: labels needed, or a bound.
        ratios: By share, then by `hilt/<arm>`: ratio of the labels needed.
        over_budgets: By `hilt/<arm>`: ratio of labels, averaged over every accuracy.
        area: By arm: mean accuracy from the first batch to the budget, over labels and minutes.
        against: By arm: seeds in which hilt's area is higher, equal, lower.
        seconds_per_label: What one answer took the simulated reviewer, on average.
        hours: Hours of one processor core that all of it took, the embeddings included.
    """

    config: str
    items: int
    test_items: int
    overlap: dict[str, int]
    labels: int
    seeds: int
    budget: int
    full_kind: str
    full_accuracy: float
    full: dict[str, dict[str, float]]
    arms: dict[str, dict[str, Any]]
    labels_to: dict[str, dict[str, LabelsTo]]
    ratios: dict[str, dict[str, Ratio]]
    over_budgets: dict[str, Ratio]
    area: dict[str, dict[str, float]]
    against: dict[str, dict[str, int]]
    seconds_per_label: float
    hours: float


def compile_result(
    name: str,
    state: LoopState,
    plan: BenchmarkPlan,
    runs: dict[str, list[list[Row]]],
    full: dict[str, dict[str, float]],
    preparation: float,
) -> BenchmarkResult:
    """Turn the rows of every run into curves, and compare them.

    Args:
        name: Of the configuration.
        state: Of the workspace with the pool, the test set and the proposals.
        plan: What was run.
        runs: By arm, the rows of each seed.
        full: By kind of student, what it has when trained on every label.
        preparation: Seconds of one core that went into the base.
    """
    base = state.files
    curves = {arm: _curve(rows) for arm, rows in runs.items()}
    kind = max(full, key=lambda each: full[each]["held_out_accuracy"])
    best = full[kind]
    hours = {arm: _hours([row for rows in each for row in rows]) for arm, each in runs.items()}
    known = len(base.pool.known_answers(base.task))
    points: dict[str, dict[str, Any]] = {
        "proposer": {"labels": [0], **_proposer(state)},
        "all": {
            "labels": [known],
            "accuracy": [round(best["accuracy"], 4)],
            "macro_f1": [round(best["macro_f1"], 4)],
        },
    }
    return BenchmarkResult(
        config=name,
        items=len(base.pool),
        test_items=len(base.test or ()),
        overlap=count_overlap(base),
        labels=len(base.config.labels),
        seeds=plan.seeds,
        budget=plan.at[-1],
        full_kind=kind,
        full_accuracy=round(best["accuracy"], 4),
        full={
            of: {key: round(value, 4) for key, value in each.items()} for of, each in full.items()
        },
        arms={
            **{arm: {**curve.to_dict(), "hours": hours[arm]} for arm, curve in curves.items()},
            **points,
        },
        **compare(curves, plan, best["accuracy"]),
        seconds_per_label=_seconds_per_label(runs),
        hours=round(sum(hours.values()) + _hours(full.values()) + preparation / 3600, 3),
    )


def compare(curves: dict[str, Curve], plan: BenchmarkPlan, full_accuracy: float) -> dict[str, Any]:
    """Compare every arm with the ceiling, and hilt with every other arm.

    Returns:
        `labels_to`, `ratios`, `over_budgets`, `area` and `against` of a `BenchmarkResult`.
    """
    goals = {share: float(share) * full_accuracy for share in TARGETS}
    others = [arm for arm in curves if arm != "hilt"] if "hilt" in curves else []
    areas = _areas(curves, plan.at[-1])
    return {
        "labels_to": {
            share: {arm: _needed(curve, goal) for arm, curve in curves.items()}
            for share, goal in goals.items()
        },
        "ratios": {
            share: {
                f"hilt/{arm}": _rounded(
                    ratio_to_target(*_paired(curves["hilt"], curves[arm]), goal)
                )
                for arm in others
            }
            for share, goal in goals.items()
        },
        "over_budgets": {
            f"hilt/{arm}": _rounded(ratio_over_budgets(*_paired(curves["hilt"], curves[arm])))
            for arm in others
        },
        "area": {
            arm: {of: float(each.mean()) for of, each in by.items()} for arm, by in areas.items()
        },
        "against": {arm: tally(areas["hilt"]["labels"], areas[arm]["labels"]) for arm in others},
    }


def count_overlap(base: WorkspaceFiles) -> dict[str, int]:
    """Count the test texts that also stand in the pool, which a student may learn by heart."""
    assert base.test is not None
    pool, test = base.pool.items(slice(None)).texts, base.test.items(slice(None)).texts
    stripped, normalised = set(map(str.strip, pool)), set(map(normalise, pool))
    return {
        "exact": sum(text.strip() in stripped for text in test),
        "normalised": sum(normalise(text) in normalised for text in test),
    }


def _curve(runs: Sequence[Sequence[Row]]) -> Curve:
    """Gather one arm's seeds; the person waits while the machine works."""
    labels = np.array([row["labels"] for row in runs[0]])
    machine = np.cumsum([[row["seconds"] for row in run] for run in runs], axis=1)
    review = np.array([[row["review_seconds"] for row in run] for run in runs])
    return Curve(
        labels=labels,
        accuracy=np.array([[row["accuracy"] for row in run] for run in runs]),
        macro_f1=np.array([[row["macro_f1"] for row in run] for run in runs]),
        minutes=(review + machine) / 60,
    )


def _paired(curve: Curve, other: Curve) -> tuple[Integers, Floats, Integers, Floats]:
    return curve.labels, curve.accuracy, other.labels, other.accuracy


def _needed(curve: Curve, goal: float) -> LabelsTo:
    found = labels_to(curve.labels, curve.accuracy.mean(axis=0), goal)
    return replace(found, labels=round(found.labels, 1))


def _rounded(ratio: Ratio) -> Ratio:
    def short(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return replace(ratio, value=short(ratio.value), low=short(ratio.low), high=short(ratio.high))


def _areas(curves: dict[str, Curve], budget: int) -> dict[str, dict[str, Any]]:
    within = {arm: curve.labels <= budget for arm, curve in curves.items()}
    most_minutes = min(float(curve.minutes[:, within[arm]].max()) for arm, curve in curves.items())
    return {
        arm: {
            "labels": area(
                np.tile(curve.labels, (curve.seeds, 1)).astype(float), curve.accuracy, budget
            ),
            "minutes": area(curve.minutes, curve.accuracy, most_minutes),
        }
        for arm, curve in curves.items()
    }


def _proposer(state: LoopState) -> dict[str, list[float]]:
    """Measure what the proposers say together before there are labels."""
    panel = Panel.of(state)
    task, (test, true) = state.files.task, labelled_test(state.files)
    together = task.rows.pool(panel.test_rows(), panel.trust.exponents)
    found = measure(task, together, true, test.contents)
    assert found.macro_f1 is not None  # an answer key has one label an item
    return {"accuracy": [round(found.accuracy, 4)], "macro_f1": [round(found.macro_f1, 4)]}


def _seconds_per_label(runs: dict[str, list[list[Row]]]) -> float:
    last = [rows[-1] for seeds in runs.values() for rows in seeds]
    seconds: float = sum(row["review_seconds"] for row in last)
    labels: int = sum(row["labels"] for row in last)
    return round(seconds / labels, 2)


def _hours(measured: Iterable[Mapping[str, Any]]) -> float:
    seconds: float = sum(each["core_seconds"] for each in measured)
    return round(seconds / 3600, 3)
