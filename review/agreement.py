"""How far reviewers agree, beyond what chance would bring, with intervals.

All measures are for nominal labels. A coefficient is None where it is not defined: where nobody
shares an item, or where only one label was ever given.

The interval of a share is Wilson's. That of a coefficient is a bootstrap over the items and two
more that nobody labelled, one on which two reviewers agree and one on which they do not, each
spread over all labels. Without those a few items on which everybody agrees would say that all
always do: with reviewers who are right on 97 % and share 10 items, the interval held the truth in
38 to 48 % of projects instead of 95, and holds it in 94 to 96 % with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hilt.intervals import wilson
from hilt.types import Floats, Integers

DRAWS = 1000  # of the bootstrap
MISSING = -1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How far reviewers agree on whether an item has one label or any other."""

    label: str
    items: int
    percent: Estimate | None
    alpha: Estimate | None


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two reviewers agree on the items that both decided."""

    reviewers: tuple[str, str]
    items: int
    percent: Estimate | None
    kappa: Estimate | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree.

    Attributes:
        items: Items with a label from two reviewers or more; of a task that rates several things
            in an item, those things.
        percent: Share of the pairs of labels on an item that are equal.
        fleiss: Fleiss' kappa.
        alpha: Krippendorff's alpha.
        labels: The same for each label against all others.
        pairs: For each two reviewers who share items, with Cohen's kappa.
    """

    items: int
    percent: Estimate | None
    fleiss: Estimate | None
    alpha: Estimate | None
    labels: tuple[LabelAgreement, ...]
    pairs: tuple[PairAgreement, ...]


def measure_agreement(
    ratings: Integers, reviewers: Sequence[str], labels: Sequence[str], rng: np.random.Generator
) -> Agreement:
    """Measure agreement.

    Args:
        ratings: Shape (n_items, n_reviewers): positions of labels, -1 where a reviewer gave none.
        reviewers: Their names, in the order of the columns.
        labels: All labels.
        rng: Draws the bootstrap samples.
    """
    counts = count_labels(ratings, len(labels))
    shared = counts[counts.sum(axis=1) >= 2]
    return Agreement(
        items=len(shared),
        percent=_share(shared),
        fleiss=_estimate(fleiss_kappa, shared, rng),
        alpha=_estimate(krippendorff_alpha, shared, rng),
        labels=tuple(
            _label_agreement(label, shared, position, rng) for position, label in enumerate(labels)
        ),
        pairs=tuple(
            pair
            for first, second in combinations(range(len(reviewers)), 2)
            if (pair := _pair_agreement(ratings, reviewers, (first, second), len(labels), rng))
        ),
    )


def count_labels(ratings: Integers, n_labels: int) -> Integers:
    """Count how often each item got each label.

    Returns:
        Shape (n_items, n_labels).
    """
    counts = np.zeros((len(ratings), n_labels), dtype=np.int64)
    items, columns = np.nonzero(ratings != MISSING)
    np.add.at(counts, (items, ratings[items, columns]), 1)
    return counts


def percent_agreement(counts: Integers, weights: Integers) -> Floats:
    """Say which share of the pairs of labels on an item are equal.

    Args:
        counts: Shape (n_items, n_labels), at least two labels an item.
        weights: Shape (n_draws, n_items): how often each item counts.

    Returns:
        Shape (n_draws,).
    """
    given = counts.sum(axis=1)
    equal = weights @ (counts * (counts - 1)).sum(axis=1)
    return _divide(equal, weights @ (given * (given - 1)))


def fleiss_kappa(counts: Integers, weights: Integers) -> Floats:
    """Compute Fleiss' kappa; arguments as for `percent_agreement`.

    Source: Fleiss 1971, with each item's own number of labels.
    """
    given = counts.sum(axis=1)
    observed = (counts * (counts - 1)).sum(axis=1) / (given * (given - 1))
    mean = _divide(weights @ observed, weights.sum(axis=1))
    marginal = weights @ counts
    expected = ((marginal / marginal.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return _divide(mean - expected, 1 - expected)


def krippendorff_alpha(counts: Integers, weights: Integers) -> Floats:
    """Compute Krippendorff's alpha for nominal labels; arguments as for `percent_agreement`.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.
    """
    given = counts.sum(axis=1)
    observed = weights @ ((given**2 - (counts**2).sum(axis=1)) / (given - 1))
    marginal = weights @ counts
    total = marginal.sum(axis=1)
    expected = _divide(total**2 - (marginal**2).sum(axis=1), total - 1)
    return 1 - _divide(observed, expected)


def cohen_kappa(table: Integers) -> Floats:
    """Compute Cohen's kappa.

    Args:
        table: Shape (n_draws, n_labels, n_labels): the first reviewer's labels down, the second's
            across.

    Returns:
        Shape (n_draws,).

    Source: Cohen 1960.
    """
    total = table.sum(axis=(1, 2))
    observed = np.trace(table, axis1=1, axis2=2) / total
    expected = (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1) / total**2
    return _divide(observed - expected, 1 - expected)


def _label_agreement(
    label: str, counts: Integers, position: int, rng: np.random.Generator
) -> LabelAgreement:
    own = counts[:, position]
    against = np.stack([own, counts.sum(axis=1) - own], axis=1)
    return LabelAgreement(
        label=label,
        items=int((own > 0).sum()),
        percent=_share(against[own > 0]),
        alpha=_estimate(krippendorff_alpha, against, rng),
    )


def _pair_agreement(
    ratings: Integers,
    reviewers: Sequence[str],
    pair: tuple[int, int],
    n_labels: int,
    rng: np.random.Generator,
) -> PairAgreement | None:
    both = ratings[:, pair]
    both = both[(both != MISSING).all(axis=1)]
    if not len(both):
        return None
    cells = both[:, 0] * n_labels + both[:, 1]
    table = np.bincount(cells, minlength=n_labels**2)
    apart = np.roll(np.eye(n_labels), 1, axis=1) / n_labels
    assumed = (np.eye(n_labels) / n_labels + (apart + apart.T) / 2).ravel()
    drawn = rng.multinomial(len(both) + 2, (table + assumed) / (len(both) + 2), DRAWS)
    tables = np.concatenate([table[None], drawn]).reshape(-1, n_labels, n_labels)
    return PairAgreement(
        reviewers=(reviewers[pair[0]], reviewers[pair[1]]),
        items=len(both),
        percent=_wilson(int((both[:, 0] == both[:, 1]).sum()), len(both)),
        kappa=_with_interval(cohen_kappa(tables)),
    )


def _estimate(
    measure: Callable[[Integers, Integers], Floats], counts: Integers, rng: np.random.Generator
) -> Estimate | None:
    """Measure, and again on samples of the items; equal items are drawn together."""
    if not len(counts):
        return None
    kinds, often = np.unique(counts, axis=0, return_counts=True)
    n_labels = counts.shape[1]
    together, apart = np.eye(n_labels), np.eye(n_labels) + np.roll(np.eye(n_labels), 1, axis=1)
    assumed = np.concatenate([2 * together, apart]).astype(np.int64)
    weights = np.append(often, np.full(2 * n_labels, 1 / n_labels))
    samples = rng.multinomial(len(counts) + 2, weights / weights.sum(), DRAWS)
    found = np.append(often, np.zeros(2 * n_labels, dtype=np.int64))
    kinds = np.concatenate([kinds, assumed])
    return _with_interval(measure(kinds, np.concatenate([found[None], samples])))


def _share(counts: Integers) -> Estimate | None:
    """Say which share of the pairs of labels on an item are equal, with its interval."""
    if not len(counts):
        return None
    often = np.ones((1, len(counts)), dtype=np.int64)
    return _wilson(float(percent_agreement(counts, often)[0]) * len(counts), len(counts))


def _wilson(equal: float, items: int) -> Estimate:
    return Estimate(equal / items, *wilson(equal, items))


def _with_interval(values: Floats) -> Estimate | None:
    """Read the value in front, and the interval from the samples where it is defined."""
    if np.isnan(values[0]):
        return None
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def _divide(numerator: Floats | Integers, denominator: Floats | Integers) -> Floats:
    """Divide, to NaN where there is nothing to divide by."""
    result = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=result, where=np.asarray(denominator) > 0)
    return result
