"""How good a student or a proposer is, with what the number rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from hilt.pipeline.calibration import expected_calibration_error, reliability
from hilt.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class Measure:
    """Predictions compared with true labels.

    Attributes:
        items: How many were compared.
        accuracy: Share that is right.
        low: Lower end of the 95 % interval for the accuracy (Wilson).
        high: Upper end.
        macro_f1: Mean over the labels that occur of F1.
        calibration_error: Expected calibration error, ten bins.
        confusion: Shape (n_labels, n_labels): rows are true labels, columns predicted ones.
        reliability: Bins of confidence, each with share, confidence and accuracy.
    """

    items: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    calibration_error: float
    confusion: list[list[int]]
    reliability: list[dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold."""
        return asdict(self)

    def share(self) -> dict[str, Any]:
        """Give the accuracy and what it rests on alone."""
        return {key: getattr(self, key) for key in ("items", "accuracy", "low", "high")}


def measure(probabilities: Floats, positions: Integers) -> Measure:
    """Compare predictions with true labels.

    Args:
        probabilities: Shape (n, n_labels), n at least 1.
        positions: Shape (n,), the true labels.
    """
    predicted = probabilities.argmax(axis=1)
    right = int((predicted == positions).sum())
    low, high = wilson(right, len(positions))
    n_labels = probabilities.shape[1]
    confusion = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(confusion, (positions, predicted), 1)
    return Measure(
        items=len(positions),
        accuracy=right / len(positions),
        low=low,
        high=high,
        macro_f1=_macro_f1(confusion),
        calibration_error=expected_calibration_error(probabilities, positions),
        confusion=confusion.tolist(),
        reliability=[asdict(row) for row in reliability(probabilities, positions)],
    )


def wilson(right: int, items: int) -> tuple[float, float]:
    """Bound a share, at 95 %.

    Args:
        right: How often it happened.
        items: Out of how many, at least 1.

    Source: Wilson 1927.
    """
    interval = binomtest(right, items).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _macro_f1(confusion: Integers) -> float:
    """Average F1 over the labels that are true or predicted at least once."""
    hits = np.diag(confusion)
    appearances = confusion.sum(axis=0) + confusion.sum(axis=1)
    occurs = appearances > 0
    return float((2 * hits[occurs] / appearances[occurs]).mean())
