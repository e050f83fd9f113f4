"""Probabilities that mean what they say, and distributions combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from hilt.types import Floats, Integers

FLOOR = 1e-6
CHANCE_DRAWS = 2000  # of a perfectly calibrated model
CHANCE_SEED = 0  # the same predictions have the same figure wherever it is shown
PRIOR_LABELS = 10.0  # how many labels a belief is worth that labels are to overcome


def log_of(probabilities: Floats) -> Floats:
    """Take logarithms in float32, with a floor that keeps a zero from deciding alone.

    A row of NaN, an abstention, becomes the floor throughout, which leans to no label.
    """
    return np.log(np.fmax(probabilities, FLOOR, dtype=np.float32))


def softmax(logits: Floats) -> Floats:
    """Turn logits, shape (n, n_labels), into rows that sum to 1."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)


def negative_log_likelihood(probabilities: Floats, positions: Integers) -> Floats:
    """Score predictions item by item, shape (n,); lower is better."""
    return -log_of(probabilities[np.arange(len(positions)), positions])


def pool_logarithmically(distributions: Sequence[Floats], weights: Floats) -> Floats:
    """Combine distributions as a weighted product, renormalised.

    Args:
        distributions: Each of shape (n, n_labels), rows sum to 1 or are NaN to abstain.
        weights: Shape (n_distributions,), not negative; 0 ignores a distribution.

    Returns:
        Shape (n, n_labels), float32, rows sum to 1.

    Source: Genest and Zidek 1986, the logarithmic opinion pool.
    """
    total = np.zeros(distributions[0].shape, dtype=np.float32)
    for distribution, weight in zip(distributions, weights, strict=True):
        if weight:
            total += np.float32(weight) * log_of(distribution)
    return softmax(total)


def fit_temperature(
    probabilities: Floats, positions: Integers, prior_labels: float = PRIOR_LABELS
) -> float:
    """Find what the logits should be divided by, from predictions on unseen items.

    Args:
        probabilities: Shape (n, n_labels), each row predicted by a model that did not see it.
        positions: Shape (n,), the true labels.
        prior_labels: How many labels the belief in a temperature of 1 is worth.

    Returns:
        A temperature in [0.2, 5].

    Source: Guo et al. 2017, section 4.2; the prior keeps a handful of labels from deciding.
    """
    logits = log_of(probabilities)

    def loss(log_temperature: float) -> float:
        scaled = softmax(logits / np.float32(np.exp(log_temperature)))
        misfit = float(negative_log_likelihood(scaled, positions).sum())
        return misfit + prior_labels * log_temperature**2

    bounds = (np.log(0.2), np.log(5.0))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def fit_pool_weights(
    distributions: Sequence[Floats],
    positions: Integers,
    prior: Floats,
    prior_labels: float = PRIOR_LABELS,
) -> Floats:
    """Find the weights of `pool_logarithmically` from predictions on unseen items.

    Args:
        distributions: Each of shape (n, n_labels); a student's rows must be out of fold.
        positions: Shape (n,), the true labels.
        prior: Shape (n_distributions,), the weights to use when there are no labels.
        prior_labels: How many labels the belief in `prior` is worth, so that the labels decide
            more and more.

    Returns:
        Shape (n_distributions,), not negative.
    """
    logs = np.stack([log_of(each) for each in distributions]).astype(np.float64)
    true = logs[:, np.arange(len(positions)), positions]  # (m, n)

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(weights, logs, axes=1)  # (n, n_labels)
        normaliser = logsumexp(logits, axis=1)
        fused = np.exp(logits - normaliser[:, None])
        misfit = (normaliser - weights @ true).sum()
        slope = (logs * fused).sum(axis=(1, 2)) - true.sum(axis=1)
        distance = weights - prior
        return (
            float(misfit + prior_labels * (distance**2).sum()),
            slope + 2 * prior_labels * distance,
        )

    result = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(0, 3)] * len(prior))
    return np.asarray(np.round(result.x, 4), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """How right the predictions of one stretch of confidence were."""

    share: float
    confidence: float
    accuracy: float


def reliability(
    probabilities: Floats, positions: Integers, bins: int = 10
) -> tuple[ConfidenceBin, ...]:
    """Compare confidence with accuracy in equally wide bins of confidence; empty ones left out."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == positions
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    members = [place == number for number in range(bins)]
    return tuple(
        ConfidenceBin(
            share=float(member.mean()),
            confidence=float(confidence[member].mean()),
            accuracy=float(right[member].mean()),
        )
        for member in members
        if member.any()
    )


def expected_calibration_error(probabilities: Floats, positions: Integers, bins: int = 10) -> float:
    """Average the gap between confidence and accuracy over equally wide bins of confidence.

    Few labels make it large by chance alone: see `calibration_beyond_chance`.

    Returns:
        In [0, 1]; 0 is perfectly calibrated.

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3.
    """
    rows = reliability(probabilities, positions, bins)
    return float(sum(abs(row.accuracy - row.confidence) * row.share for row in rows))


def calibration_beyond_chance(bins: Sequence[ConfidenceBin], items: int) -> tuple[float, float]:
    """Take from the expected calibration error what chance brings to a perfectly calibrated model.

    Such a model, as sure as this one, is simulated: in each bin as many predictions are right as a
    binomial draw says. With six labels its error is 0.20 on 20 items, 0.09 on 100 and 0.05 on 300.

    Args:
        bins: From `reliability`.
        items: How many predictions they hold together.

    Returns:
        The error less its expectation if the model were perfectly calibrated, at least 0; and what
        that difference stays below in 95 % of cases if it is.
    """
    sizes = np.array([round(each.share * items) for each in bins])
    confidence = np.clip([each.confidence for each in bins], 0, 1)
    found = np.round(sizes * [each.accuracy for each in bins])
    rng = np.random.default_rng(CHANCE_SEED)
    drawn = rng.binomial(sizes, confidence, (CHANCE_DRAWS, len(sizes)))
    error = np.abs(found - sizes * confidence).sum() / items
    by_chance = np.abs(drawn - sizes * confidence).sum(axis=1) / items
    expected = by_chance.mean()
    limit = np.quantile(by_chance, 0.95, method="higher") - expected
    return max(0.0, float(error - expected)), max(0.0, float(limit))
