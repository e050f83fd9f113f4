"""Probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from hilt.distributions import log_of, negative_log_likelihood, softmax
from hilt.types import Floats, Integers

PRIOR_LABELS = 10.0  # how many labels a belief is worth that labels are to overcome


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
