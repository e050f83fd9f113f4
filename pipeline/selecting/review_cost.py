"""How long a person needs for an item, learnt from the times of earlier decisions.

Seconds are looked at as logarithms, for a text of twice the length takes so many times as long. The
model is a ridge regression whose large residuals are weighed down, so that a coffee break is not
taken for a hard item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilt.rows import Rows
from hilt.tasks.base import RowMath
from hilt.types import Floats, Integers

# The words by which each column of `features` is reported.
FEATURES = (
    "for a text twice as long",
    "for twice as many plausible labels",
    "if every proposer disagrees",
    "for a blind item",
    "for twice as much to mark",
)
MIN_DECISIONS = 40  # with a time, before a model is believed
MIN_R_SQUARED = 0.1  # out of fold; below that, chance alone would do about as well
FOLDS = 5
PRIOR_DECISIONS = 5.0  # how many decisions the belief is worth that a feature does not matter
ROUNDS = 10  # of weighing down large residuals; they settle well before
TOLERATED = 1.345  # standard deviations of a residual that count in full
LONGEST = 3.0  # standard deviations of a residual; what took longer was a break
SAME = 1e-6  # loss below which times are all the same, to a thousandth
SHORTEST = 0.05  # seconds; shorter ones are taken for this long


@dataclass(frozen=True, slots=True)
class Timings:
    """Decisions with the time that they took.

    Attributes:
        seconds: Shape (n,), above 0.
        features: Shape (n, 4 or 5), as `features` gives them.
        reviewers: Who decided, one name a decision.
        items: Shape (n,), indices of the items; one that was decided twice is in one fold.
    """

    seconds: Floats
    features: Floats
    reviewers: Sequence[str]
    items: Integers

    def __len__(self) -> int:
        return len(self.seconds)


@dataclass(frozen=True, slots=True)
class CostModel:
    """Predicts the seconds that an item takes.

    Attributes:
        intercept: Logarithm of the seconds of the typical reviewer where every feature is 0.
        slopes: Shape (4,), or (5,) with the effort, what a feature adds to it.
        reviewers: What each reviewer adds to it, by name.
        mean_over_median: Times are skewed: turns the median, which the rest predicts, into a mean.
    """

    intercept: float
    slopes: Floats
    reviewers: dict[str, float]
    mean_over_median: float

    def predict(self, features: Floats, reviewer: str | None = None) -> Floats:
        """Predict mean seconds: shape (n,), float32, for a reviewer, or the typical one."""
        own = 0.0 if reviewer is None else self.reviewers.get(reviewer, 0.0)
        logarithms = self.intercept + own + features @ self.slopes
        return np.asarray(np.exp(logarithms) * self.mean_over_median, dtype=np.float32)

    @property
    def reads_effort(self) -> bool:
        """Whether what there is to do for an answer makes a difference."""
        return len(self.slopes) == len(FEATURES)

    @property
    def factors(self) -> dict[str, float]:
        """How many times as long an item takes, and when."""
        factors = np.exp(self.slopes).round(2).tolist()
        return dict(zip(FEATURES[: len(factors)], factors, strict=True))


@dataclass(frozen=True, slots=True)
class ReviewCost:
    """What review costs, and whether that is predicted better than by a constant.

    Attributes:
        decisions: How many with a time this rests on.
        median_seconds: Of one decision.
        mean_seconds: Of one decision, large values weighed down.
        r_squared: Share of the variation within each reviewer's times that the features of the
            items explain, out of fold; None where there are too few decisions.
        model: What was learnt from all of them.
    """

    decisions: int
    median_seconds: float
    mean_seconds: float
    r_squared: float | None
    model: CostModel

    @property
    def is_predictable(self) -> bool:
        """Whether the model predicts clearly better than a constant, so that it may be used."""
        return self.r_squared is not None and self.r_squared >= MIN_R_SQUARED

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold."""
        return {
            "decisions": self.decisions,
            "median_seconds": self.median_seconds,
            "mean_seconds": self.mean_seconds,
            "r_squared": self.r_squared,
            "used": self.is_predictable,
            "factors": self.model.factors,
        }


def cost_sentence(cost: Mapping[str, Any]) -> str:
    """Say how long decisions take, and what makes items slow, from `ReviewCost.to_dict`."""
    found = f"A decision takes {cost['median_seconds']:.1f} s (median of {cost['decisions']:,})."
    if cost["r_squared"] is None:
        return (
            f"{found} Slow items can be predicted once {MIN_DECISIONS} decisions have been timed."
        )
    if not cost["used"]:
        return (
            f"{found} Slow items cannot be predicted yet: R squared on held-out items is"
            f" {cost['r_squared']:.2f}, and predictions are used from {MIN_R_SQUARED} on."
        )
    factors = ", ".join(f"\u00d7{factor:.2f} {when}" for when, factor in cost["factors"].items())
    return (
        f"{found} Slow items are predicted with R squared {cost['r_squared']:.2f} on held-out"
        f" items: {factors}."
    )


def features(
    characters: Integers,
    plausible: Floats,
    disagreement: Floats,
    blind: Floats | bool,
    effort: Floats | None = None,
) -> Floats:
    """Put together what may make items slow.

    Args:
        characters: Shape (n,), the lengths of the texts.
        plausible: Shape (n,), the perplexities of the fused proposals, from 1.
        disagreement: Shape (n,), in [0, 1]: share of the proposers with another label than the
            fused proposal.
        blind: Shape (n,) or one value: whether the proposal is not shown.
        effort: Shape (n,), how much there is to do for the answer, as the task says; None where
            there is only a choice to make.

    Returns:
        Shape (n, 4), or (n, 5) with the effort: binary logarithms of the first two and of that, so
        that 1 more is twice as much.
    """
    columns = [
        np.log2(1 + np.asarray(characters, dtype=np.float64)),
        np.log2(np.maximum(plausible, 1)),
        disagreement,
        np.broadcast_to(np.asarray(blind, dtype=np.float64), len(characters)),
    ]
    return np.column_stack(columns if effort is None else [*columns, np.log2(1 + effort)])


def perplexity(proposal: Rows, math: RowMath) -> Floats:
    """Count the choices that are plausible: shape (n,), from 1 (sure); the mean over several."""
    units = math.units(proposal)
    rows = np.asarray(units.values, dtype=np.float32)
    logarithms = np.log(np.where(rows > 0, rows, 1))
    return np.asarray(units.means(np.exp(-(rows * logarithms).sum(axis=1))), dtype=np.float32)


def disagreement(said: Sequence[Rows], fused: Rows, math: RowMath) -> Floats:
    """Measure which share of the proposers has another likeliest answer than all of them fused.

    Args:
        said: What each proposer says of n items; NaN rows are abstentions.
        fused: What all say.
        math: The arithmetic of the task's rows.

    Returns:
        Shape (n,), in [0, 1]; 0 where all abstain.
    """
    units = math.units(fused)
    first = units.values.argmax(axis=1)
    answers = np.stack([each.answered for each in said])
    differs = [units.sums(math.units(each).values.argmax(axis=1) != first) > 0 for each in said]
    others = answers & np.stack(differs)
    return np.asarray(others.sum(axis=0) / np.maximum(answers.sum(axis=0), 1))


def review_cost(timings: Timings, rng: np.random.Generator) -> ReviewCost:
    """Learn from decisions what review costs.

    The model may be used from 40 decisions on, and when it explains at least a tenth of the
    variation (R squared, with the loss that also fits it) in decisions on items that it was not
    fitted to. What it is compared with knows each reviewer's pace, so that reviewers of different
    pace alone make no item predictable.

    Args:
        timings: At least one decision.
        rng: Deals the items into folds.
    """
    model = fit_cost_model(timings)
    typical = fit_cost_model(_without_features(timings))
    enough = len(timings) >= MIN_DECISIONS
    return ReviewCost(
        decisions=len(timings),
        median_seconds=round(float(np.median(timings.seconds)), 2),
        mean_seconds=round(float(np.exp(typical.intercept) * typical.mean_over_median), 2),
        r_squared=round(_r_squared(timings, rng), 3) if enough else None,
        model=model,
    )


def fit_cost_model(timings: Timings) -> CostModel:
    """Fit by ridge regression, in closed form, with large residuals weighed down.

    Source: Huber 1964 for the weights; Duan 1983 for the mean of what was fitted as a logarithm.
    """
    logarithms = np.log(np.maximum(timings.seconds, SHORTEST))
    names = sorted(set(timings.reviewers))
    centre, spread = timings.features.mean(axis=0), timings.features.std(axis=0)
    scaled = (timings.features - centre) / np.where(spread > 0, spread, 1)
    by_reviewer = np.array(timings.reviewers)[:, None] == np.array(names)
    design = np.column_stack([np.ones(len(timings)), scaled, by_reviewer])
    penalty = np.diag(np.append(1e-9, np.full(design.shape[1] - 1, PRIOR_DECISIONS)))
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.median(logarithms)
    for _ in range(ROUNDS):
        limit = TOLERATED * _robust_deviation(logarithms - design @ coefficients)
        weights = _weights(logarithms - design @ coefficients, limit)
        normal = (design * weights[:, None]).T @ design + penalty
        coefficients = np.linalg.solve(normal, design.T @ (weights * logarithms))
    residuals = logarithms - design @ coefficients
    limit = LONGEST * _robust_deviation(residuals)
    slopes = coefficients[1 : 1 + len(centre)] / np.where(spread > 0, spread, 1)
    return CostModel(
        intercept=float(coefficients[0] - centre @ slopes),
        slopes=slopes,
        reviewers=dict(zip(names, coefficients[1 + len(centre) :].tolist(), strict=True)),
        mean_over_median=float(np.exp(np.clip(residuals, -limit, limit)).mean()),
    )


def _r_squared(timings: Timings, rng: np.random.Generator) -> float:
    """Compare with a model that knows only the reviewers, on items that neither was fitted to."""
    items, place = np.unique(timings.items, return_inverse=True)
    folds = rng.permutation(len(items))[place] % FOLDS
    errors = np.empty((2, len(timings)))
    for number, each in enumerate((timings, _without_features(timings))):
        for fold in range(FOLDS):
            held_out = np.flatnonzero(folds == fold)
            model = fit_cost_model(_part(each, np.flatnonzero(folds != fold)))
            names = [each.reviewers[row] for row in held_out.tolist()]
            own = np.array([model.reviewers.get(name, 0.0) for name in names])
            predicted = model.intercept + own + each.features[held_out] @ model.slopes
            observed = np.log(np.maximum(each.seconds[held_out], SHORTEST))
            errors[number, held_out] = observed - predicted
    limit = TOLERATED * _robust_deviation(errors[1])
    losses = _huber(errors, limit).mean(axis=1)
    return float(1 - losses[0] / losses[1]) if losses[1] > SAME else 0.0


def _without_features(timings: Timings) -> Timings:
    nothing = np.zeros_like(timings.features)
    return Timings(timings.seconds, nothing, timings.reviewers, timings.items)


def _part(timings: Timings, rows: Integers) -> Timings:
    reviewers = [timings.reviewers[row] for row in rows.tolist()]
    return Timings(timings.seconds[rows], timings.features[rows], reviewers, timings.items[rows])


def _robust_deviation(residuals: Floats) -> float:
    """Estimate the standard deviation by the median, on which outliers have no pull."""
    return max(1.4826 * float(np.median(np.abs(residuals))), 1e-6)


def _weights(residuals: Floats, limit: float) -> Floats:
    return np.minimum(1, limit / np.maximum(np.abs(residuals), 1e-12))


def _huber(residuals: Floats, limit: float) -> Floats:
    size = np.abs(residuals)
    return np.where(size <= limit, size**2 / 2, limit * (size - limit / 2))
