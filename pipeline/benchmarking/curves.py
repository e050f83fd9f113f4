"""Learning curves over seeds: means, labels to a target, areas. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student_t
from sklearn.isotonic import IsotonicRegression

from hilt.types import Floats, Integers

TIE = 0.001  # areas that differ by less are a tie
AT_MOST, AT_LEAST, MORE_THAN = "at_most", "at_least", "more_than"
ROUNDING = 1e-12  # that far below a target a curve has reached it


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm's accuracy over labels.

    Attributes:
        labels: Shape (k,), ascending label counts.
        accuracy: Shape (n_seeds, k).
        macro_f1: Shape (n_seeds, k).
        minutes: Shape (n_seeds, k): what review took, and the machine's time.
    """

    labels: Integers
    accuracy: Floats
    macro_f1: Floats
    minutes: Floats

    @property
    def seeds(self) -> int:
        """How many runs it rests on."""
        return len(self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """List the means over seeds and their 95 % intervals, as JSON can hold them."""
        low, high = interval(self.accuracy)
        return {
            "seeds": self.seeds,
            "labels": self.labels.tolist(),
            "accuracy": _listed(self.accuracy.mean(axis=0)),
            "macro_f1": _listed(self.macro_f1.mean(axis=0)),
            "accuracy_low": None if low is None else _listed(low),
            "accuracy_high": None if high is None else _listed(high),
            "minutes": _listed(self.minutes.mean(axis=0)),
            "accuracy_by_seed": [_listed(row) for row in self.accuracy],
        }


@dataclass(frozen=True, slots=True)
class LabelsTo:
    """How many labels an accuracy takes.

    Attributes:
        labels: The number.
        bound: None for the number itself. `at_most`: the curve is there at its first count, and
            fewer may do. `more_than`: the curve ends below, at this count.
    """

    labels: float
    bound: str | None = None


def interval(values: Floats) -> tuple[Floats | None, Floats | None]:
    """Bound the mean over seeds by Student's t, 95 %.

    Args:
        values: Shape (n_seeds, k).

    Returns:
        Lower and upper ends, each of shape (k,); None when there is one seed.
    """
    mean, n = values.mean(axis=0), len(values)
    if n == 1:
        return None, None
    half = student_t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean - half, mean + half


def rising(accuracy: Floats) -> Floats:
    """Fit the closest curve that never falls (isotonic regression), so that luck does not count.

    Args:
        accuracy: Shape (k,), means over seeds.
    """
    fitted: Floats = IsotonicRegression().fit_transform(np.arange(len(accuracy)), accuracy)
    return fitted


def labels_to(labels: Integers, accuracy: Floats, target: float) -> LabelsTo:
    """Find how many labels a curve needs to reach a target.

    The mean curve is made to rise first (`rising`); between two counts it is a line over the
    logarithm of the labels, which learning curves nearly are.

    Args:
        labels: Shape (k,), ascending, from 1.
        accuracy: Shape (k,), means over seeds.
        target: The accuracy to reach.
    """
    curve = rising(accuracy)
    if curve[0] >= target - ROUNDING:
        return LabelsTo(float(labels[0]), AT_MOST)
    if curve[-1] < target - ROUNDING:
        return LabelsTo(float(labels[-1]), MORE_THAN)
    return LabelsTo(float(np.exp(_log_labels(labels, curve, np.array([target]))[0])))


def log_ratio_over_budgets(
    labels: Integers, accuracy: Floats, other_labels: Integers, other_accuracy: Floats
) -> float | None:
    """Average the logarithm of the ratio of labels over every accuracy that both curves pass.

    That is the area between the two curves, labels on a logarithmic scale, over its height, and
    so depends on no target. Both are made to rise first, as in `labels_to`.

    Args:
        labels: Shape (k,), ascending, from 1.
        accuracy: Shape (k,), means over seeds.
        other_labels: Shape (m,), of the curve in the denominator.
        other_accuracy: Shape (m,).

    Returns:
        None when one curve begins where the other ends, or above.

    Source: Kath, Gouvea and Sonntag 2026 (arXiv 2602.13359) for one factor over all budgets in
    place of one at a target; the mean over accuracies is our way of averaging it.
    """
    first, second = rising(accuracy), rising(other_accuracy)
    low, high = max(first[0], second[0]), min(first[-1], second[-1])
    if high <= low + ROUNDING:
        return None
    corners = np.unique(np.clip(np.concatenate([first, second, [low, high]]), low, high))
    middles, heights = (corners[1:] + corners[:-1]) / 2, np.diff(corners)
    ratios = _log_labels(labels, first, middles) - _log_labels(other_labels, second, middles)
    return float(np.average(ratios, weights=heights))  # exact: it is a line between two corners


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
    """Count the seeds in which the first of two paired values is higher, equal or lower.

    Args:
        first: Shape (n,), by seed; of two lengths the seeds that both have count.
        second: Shape (m,).
    """
    both = min(len(first), len(second))
    difference = first[:both] - second[:both]
    return {
        "wins": int((difference >= TIE).sum()),
        "ties": int((np.abs(difference) < TIE).sum()),
        "losses": int((difference <= -TIE).sum()),
    }


def _log_labels(labels: Integers, curve: Floats, levels: Floats) -> Floats:
    """Read off where a rising curve first reaches some levels, above its first and to its last."""
    logs = np.log(labels)
    after = np.searchsorted(curve, levels - ROUNDING)
    share = (levels - curve[after - 1]) / (curve[after] - curve[after - 1])
    found: Floats = logs[after - 1] + share * (logs[after] - logs[after - 1])
    return found


def _listed(values: Sequence[float] | Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
