"""How good a student or a proposer is, with what the number rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.intervals import wilson
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Content, Floats, Integers, Value

Right = npt.NDArray[np.bool_]

CHANCE_DRAWS = 2000  # of a perfectly calibrated model
CHANCE_SEED = 0  # the same predictions have the same figure wherever it is shown


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """How right the predictions of one stretch of confidence were."""

    share: float
    confidence: float
    accuracy: float


def reliability(confidence: Floats, right: Right, bins: int = 10) -> tuple[ConfidenceBin, ...]:
    """Compare confidence with accuracy in equally wide bins of confidence; empty ones left out.

    Args:
        confidence: Shape (n,), how sure each prediction is, in [0, 1].
        right: Shape (n,), whether it is right.
        bins: How many.
    """
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
    right = probabilities.argmax(axis=1) == positions
    rows = reliability(probabilities.max(axis=1), right, bins)
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


@dataclass(frozen=True, slots=True)
class Measure:
    """Predictions compared with true labels.

    Attributes:
        items: How many were compared.
        accuracy: Share that is right; an answer that is partly right counts in part, 1 less its
            loss.
        low: Lower end of the 95 % interval for the accuracy (Wilson). Where answers count in part
            they spread less than those that are right or wrong, and it is wider than it need be.
        high: Upper end.
        macro_f1: Mean over the labels that occur of F1; None where `confusion` is.
        calibration_error: Expected calibration error, ten bins, less what chance alone brings; 0
            where that is more.
        calibration_limit: What `calibration_error` stays below in 95 % of cases if the model is
            perfectly calibrated. Up to there, no error is shown.
        confusion: Shape (n_labels, n_labels): rows are true labels, columns predicted ones; None
            for a task whose answers are not one label each.
        reliability: Bins of confidence, each with share, confidence and accuracy.
    """

    items: int
    accuracy: float
    low: float
    high: float
    macro_f1: float | None
    calibration_error: float
    calibration_limit: float
    confusion: list[list[int]] | None
    reliability: list[dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold."""
        return asdict(self)

    def share(self) -> dict[str, Any]:
        """Give the accuracy and what it rests on alone."""
        return {key: getattr(self, key) for key in ("items", "accuracy", "low", "high")}


def scores(
    task: Task, said: Rows, true: Sequence[Value], contents: Sequence[Content]
) -> npt.NDArray[np.float64]:
    """Say how right the likeliest answers are: shape (n,), from 0 to 1, which is 1 less the loss.

    Args:
        task: What the answers are.
        said: What is predicted of n items.
        true: Their true answers.
        contents: The items.
    """
    found = (
        1 - task.answers.loss(task.rows.decode(said.of(place), content), value)
        for place, (value, content) in enumerate(zip(true, contents, strict=True))
    )
    return np.fromiter(found, dtype=np.float64, count=len(true))


def measure(task: Task, said: Rows, true: Sequence[Value], contents: Sequence[Content]) -> Measure:
    """Compare predictions with true answers.

    Args:
        task: What the answers are.
        said: What is predicted of n items, n at least 1.
        true: Their true answers.
        contents: The items.
    """
    found = scores(task, said, true, contents)
    low, high = wilson(float(found.sum()), len(found))
    bins = reliability(task.rows.confidence(said), found == 1)
    error, limit = calibration_beyond_chance(bins, len(found))
    confusion = task.rows.confusion(said, task.rows.encode(true, contents).rows)
    return Measure(
        items=len(found),
        accuracy=float(found.sum()) / len(found),
        low=low,
        high=high,
        macro_f1=None if confusion is None else _macro_f1(confusion),
        calibration_error=error,
        calibration_limit=limit,
        confusion=None if confusion is None else confusion.tolist(),
        reliability=[asdict(row) for row in bins],
    )


def calibration_of(measured: Mapping[str, Any]) -> tuple[float, float | None]:
    """Read a calibration error and its limit from what a training kept.

    An older hilt kept the error as it was, with what chance brings, which is taken off here where
    the bins were kept as well. Where they were not, the error is as it was and the limit is None.

    Args:
        measured: Of `Measure.to_dict`, or what was kept of it.
    """
    error, limit = measured["calibration_error"], measured.get("calibration_limit")
    if limit is None and measured.get("reliability"):
        bins = [ConfidenceBin(**each) for each in measured["reliability"]]
        return calibration_beyond_chance(bins, measured["items"])
    return error, limit


def _macro_f1(confusion: Integers) -> float:
    """Average F1 over the labels that are true or predicted at least once."""
    hits = np.diag(confusion)
    appearances = confusion.sum(axis=0) + confusion.sum(axis=1)
    occurs = appearances > 0
    return float((2 * hits[occurs] / appearances[occurs]).mean())
