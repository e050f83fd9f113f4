"""How many labels one arm needs of what another needs, with an interval over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from hilt.pipeline.benchmarking.curves import (
    AT_LEAST,
    AT_MOST,
    MORE_THAN,
    LabelsTo,
    labels_to,
    log_ratio_over_budgets,
)
from hilt.types import Floats, Integers

MIN_SEEDS = 3  # for an interval


@dataclass(frozen=True, slots=True)
class Ratio:
    """Labels of one arm over labels of another; below 1 the first needs fewer.

    Attributes:
        value: The ratio, or its bound; None if nothing can be said.
        bound: None for the ratio itself, `at_most` or `at_least` where a curve is at the target
            from its first count on or ends below it.
        low: Lower end of the 95 % interval (jackknife-t over seeds); None if there is none.
        high: Upper end.
        n: How many seeds both arms have; of a mean over sets of data, how many sets.
        open: Whether there is no interval because without one of the seeds there is no ratio.
    """

    value: float | None
    bound: str | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    open: bool = False


def jackknife_t(whole: float, left_out: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """Bound an estimate by what it is without each of the seeds.

    Args:
        whole: The estimate by all seeds; of a ratio, its logarithm.
        left_out: Shape (n_seeds,), the estimate without each seed; NaN where there is none.
        level: How often the interval should cover.

    Returns:
        None with fewer than three seeds, or where one of the estimates does not exist.

    Source: Tukey 1958; Efron and Tibshirani 1993, chapter 11.
    """
    n = len(left_out)
    if n < MIN_SEEDS or not np.isfinite(left_out).all():
        return None
    spread = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    half = float(student_t.ppf((1 + level) / 2, n - 1)) * spread
    return whole - half, whole + half


def ratio_to_target(
    labels: Integers,
    accuracy: Floats,
    other_labels: Integers,
    other_accuracy: Floats,
    target: float,
) -> Ratio:
    """Compare the labels that two arms need for the same accuracy.

    Args:
        labels: Shape (k,), ascending.
        accuracy: Shape (n_seeds, k). The first seed of both arms is the same, and so on; those
            that only one has do not count.
        other_labels: Shape (m,), of the arm in the denominator.
        other_accuracy: Shape (m_seeds, m).
        target: The accuracy to reach.
    """

    def compare(mine: Floats, theirs: Floats) -> Ratio:
        return _divided(labels_to(labels, mine, target), labels_to(other_labels, theirs, target))

    return _over_seeds(compare, accuracy, other_accuracy)


def ratio_over_budgets(
    labels: Integers, accuracy: Floats, other_labels: Integers, other_accuracy: Floats
) -> Ratio:
    """Compare the labels that two arms need, on average over every accuracy that both pass.

    Args:
        labels: Shape (k,), ascending.
        accuracy: Shape (n_seeds, k), paired as in `ratio_to_target`.
        other_labels: Shape (m,), of the arm in the denominator.
        other_accuracy: Shape (m_seeds, m).
    """

    def compare(mine: Floats, theirs: Floats) -> Ratio:
        found = log_ratio_over_budgets(labels, mine, other_labels, theirs)
        return Ratio(None if found is None else math.exp(found))

    return _over_seeds(compare, accuracy, other_accuracy)


def geometric_mean(ratios: Sequence[Ratio]) -> Ratio:
    """Average ratios of several sets of data, with a t interval over the sets.

    The interval is for the mean over sets like these: how much they differ is in it, and what
    seeds add to that. A bound among ratios makes the mean a bound; bounds of both kinds, or a set
    of which nothing can be said, make no mean.

    Args:
        ratios: One of each set, at least one.
    """
    n, bounds = len(ratios), {each.bound for each in ratios} - {None}
    values = [each.value for each in ratios if each.value is not None]
    if len(values) < n or len(bounds) > 1:
        return Ratio(None, n=n)
    logs = np.log(values)
    mean, bound = float(logs.mean()), next(iter(bounds), None)
    if bound is not None or n < MIN_SEEDS:
        return Ratio(math.exp(mean), bound, n=n)
    left_out = (logs.sum() - logs) / (n - 1)  # of a mean, jackknife-t is Student's t
    return _with_interval(Ratio(math.exp(mean)), left_out)


def _over_seeds(
    compare: Callable[[Floats, Floats], Ratio], accuracy: Floats, other_accuracy: Floats
) -> Ratio:
    """Compare two mean curves, and bound that by leaving out one seed after the other."""
    n = min(len(accuracy), len(other_accuracy))
    mine, theirs = accuracy[:n], other_accuracy[:n]
    whole = compare(mine.mean(axis=0), theirs.mean(axis=0))
    if whole.value is None or whole.bound is not None or n < MIN_SEEDS:
        return Ratio(whole.value, whole.bound, n=n)
    parts = [
        compare(np.delete(mine, i, axis=0).mean(axis=0), np.delete(theirs, i, axis=0).mean(axis=0))
        for i in range(n)
    ]
    known = [part.value if part.bound is None else None for part in parts]
    return _with_interval(whole, np.log([math.nan if each is None else each for each in known]))


def _with_interval(whole: Ratio, left_out: Floats) -> Ratio:
    assert whole.value is not None
    ends = jackknife_t(math.log(whole.value), left_out)
    if ends is None:
        return Ratio(whole.value, n=len(left_out), open=True)
    return Ratio(whole.value, low=math.exp(ends[0]), high=math.exp(ends[1]), n=len(left_out))


def _divided(mine: LabelsTo, theirs: LabelsTo) -> Ratio:
    """Divide label counts: a bound above by one below is a bound, two of a kind are nothing."""
    above = mine.bound == AT_MOST or theirs.bound == MORE_THAN
    below = mine.bound == MORE_THAN or theirs.bound == AT_MOST
    if above and below:
        return Ratio(None)
    return Ratio(mine.labels / theirs.labels, AT_MOST if above else AT_LEAST if below else None)
