"""Learning curves over seeds: means, intervals, labels to a target, areas. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student_t
from sklearn.isotonic import IsotonicRegression

from hilt.types import Floats, Integers

RESAMPLES = 1000
TIE = 0.001  # areas that differ by less are a tie


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm's accuracy over labels.

    Attributes:
        labels: Shape (k,), ascending label counts.
        accuracy: Shape (n_seeds, k).
        macro_f1: Shape (n_seeds, k).
        minutes: Shape (n_seeds, k): what review took, and the machine's time.
        start: Accuracy without any label, by the proposals; None for an arm that has none.
    """

    labels: Integers
    accuracy: Floats
    macro_f1: Floats
    minutes: Floats
    start: float | None = None

    @property
    def seeds(self) -> int:
        """How many runs it rests on."""
        return len(self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """List the means over seeds and their 95 % intervals, as JSON can hold them."""
        low, high = interval(self.accuracy)
        return {
            "labels": self.labels.tolist(),
            "accuracy": _listed(self.accuracy.mean(axis=0)),
            "macro_f1": _listed(self.macro_f1.mean(axis=0)),
            "accuracy_low": _listed(low),
            "accuracy_high": _listed(high),
            "minutes": _listed(self.minutes.mean(axis=0)),
            "accuracy_by_seed": [_listed(row) for row in self.accuracy],
        }


def interval(values: Floats) -> tuple[Floats, Floats]:
    """Bound the mean over seeds by Student's t, 95 %.

    Args:
        values: Shape (n_seeds, k).

    Returns:
        Lower and upper ends, each of shape (k,); the mean itself when there is one seed.
    """
    mean, n = values.mean(axis=0), len(values)
    if n == 1:
        return mean, mean
    half = student_t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean - half, mean + half


def labels_to(labels: Integers, accuracy: Floats, target: float) -> float | None:
    """Find how many labels a curve needs to reach a target, and to stay there.

    The curve is made monotone first (isotonic regression), so that a lucky point does not count;
    between two points it is a line.

    Args:
        labels: Shape (k,), ascending.
        accuracy: Shape (k,), means over seeds.
        target: The accuracy to reach.

    Returns:
        The number of labels, or None when the curve ends below the target.
    """
    rising = IsotonicRegression().fit_transform(labels, accuracy)
    reached = np.flatnonzero(rising >= target - 1e-12)
    if not len(reached):
        return None
    place = int(reached[0])
    if place == 0:
        return float(labels[0])
    before, after = rising[place - 1], rising[place]
    share = (target - before) / (after - before)
    return float(labels[place - 1] + share * (labels[place] - labels[place - 1]))


def mean_labels_to(curve: Curve, target: float, seeds: Integers | None = None) -> float | None:
    """Apply `labels_to` to a curve's mean over some seeds; its start counts as 0 labels."""
    rows = curve.accuracy if seeds is None else curve.accuracy[seeds]
    labels, accuracy = curve.labels, rows.mean(axis=0)
    if curve.start is not None:
        labels, accuracy = np.append(0, labels), np.append(curve.start, accuracy)
    return labels_to(labels, accuracy, target)


def ratio(curve: Curve, other: Curve, target: float, rng: np.random.Generator) -> dict[str, Any]:
    """Compare the labels that two arms need for the same accuracy.

    Returns:
        `ratio` of `curve` to `other` with its 95 % paired bootstrap interval over seeds (`low`,
        `high`; None for an end beyond what was labelled). When only `other` never gets there,
        `ratio` is None and `at_most` is the ratio to all that it labelled.
    """
    mine, theirs = mean_labels_to(curve, target), mean_labels_to(other, target)
    result = {"ratio": None, "low": None, "high": None, "at_most": None}
    if mine is None:
        return result
    if theirs is None:
        return {**result, "at_most": round(mine / float(other.labels[-1]), 3)}
    n_seeds = min(curve.seeds, other.seeds)
    drawn = [
        _ratio_of(mean_labels_to(curve, target, seeds), mean_labels_to(other, target, seeds))
        for seeds in rng.integers(n_seeds, size=(RESAMPLES, n_seeds))
    ]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return {
        "ratio": _ratio_of(mine, theirs),
        "low": _finite(low),
        "high": _finite(high),
        "at_most": None,
    }


def area(x: Floats, y: Floats, until: float) -> Floats:
    """Average each curve over x from its first point to `until`.

    Args:
        x: Shape (n_seeds, k), ascending rows.
        y: Shape (n_seeds, k).
        until: Where to stop; a curve that ends before goes on level.

    Returns:
        Shape (n_seeds,).
    """
    areas = []
    for places, values in zip(x, y, strict=True):
        grid = np.linspace(places[0], max(until, places[0] + 1e-9), 200)
        areas.append(float(np.interp(grid, places, values).mean()))
    return np.array(areas)


def tally(first: Floats, second: Floats) -> dict[str, int]:
    """Count the seeds in which the first of two paired values is higher, equal or lower."""
    difference = first - second
    return {
        "wins": int((difference >= TIE).sum()),
        "ties": int((np.abs(difference) < TIE).sum()),
        "losses": int((difference <= -TIE).sum()),
    }


def _ratio_of(mine: float | None, theirs: float | None) -> float:
    """Divide label counts, None being more than was labelled."""
    if mine is None:
        return float("inf")
    return 0.0 if theirs is None else round(mine / max(theirs, 1.0), 3)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) and value > 0 else None


def _listed(values: Sequence[float] | Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
