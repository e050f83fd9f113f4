"""How kinds of student are tempered, blended and fused with the proposers, by the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilt.distributions import log_of, pool_logarithmically, softmax
from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.pipeline.proposing.fusion import Trust, weigh
from hilt.pipeline.training.training_data import TrainingData
from hilt.types import Floats, Integers

MIN_SHARE = 0.15  # of the blend; less is not worth a second model


@dataclass(frozen=True, slots=True)
class Combination:
    """What is fitted on out-of-fold predictions: how kinds are tempered, blended and fused.

    Attributes:
        temperatures: By kind.
        weights: By kind that is kept.
        fusion: Shape (1 + p,), the exponents of the student and of each proposer.
    """

    temperatures: dict[str, float]
    weights: dict[str, float]
    fusion: Floats

    @classmethod
    def fit(cls, raw: dict[str, Floats], data: TrainingData, rows: Integers) -> Combination:
        """Fit on the labels at some rows what kinds predict out of fold: each of shape (n, ...)."""
        positions = data.positions[rows]
        temperatures = {kind: fit_temperature(each[rows], positions) for kind, each in raw.items()}
        tempered = {kind: divided(raw[kind][rows], t) for kind, t in temperatures.items()}
        weights = _blend_weights(tempered, positions)
        blended = _blended(tempered, weights)
        fusion = fusion_weights(blended, data, rows)
        return cls(temperatures, weights, fusion)

    def student(self, raw: dict[str, Floats]) -> Floats:
        """Temper and blend what kinds predict."""
        return _blended(
            {k: divided(raw[k], self.temperatures[k]) for k in self.weights}, self.weights
        )

    def fused(self, student: Floats, proposals: Floats) -> Floats:
        """Fuse a student with the proposers: shape (p, m, n_labels) for (m, n_labels)."""
        return pool_logarithmically([student, *proposals], self.fusion)


def fusion_weights(out_of_fold: Floats, data: TrainingData, rows: Integers) -> Floats:
    """Weigh the student and the proposers on the labels at some rows, which none has seen.

    Args:
        out_of_fold: Shape (len(rows), n_labels), what the student says of those.
        data: Has the labels, and what the proposers say.
        rows: Of the labelled items.
    """
    prior = data.trust.beside_a_student()
    return weigh([out_of_fold, *data.proposals[:, rows]], data.positions[rows], prior)


def _blend_weights(tempered: dict[str, Floats], positions: Integers) -> dict[str, float]:
    """Weigh ways of training by their out-of-fold predictions, without those that add little."""
    if len(tempered) == 1:
        return dict.fromkeys(tempered, 1.0)
    prior = Trust(np.ones(len(tempered)), np.full(len(tempered), 1 / len(tempered)))
    weights = weigh([*tempered.values()], positions, prior)
    least = MIN_SHARE * weights.sum()
    kept = {k: float(w) for k, w in zip(tempered, weights, strict=True) if w and w >= least}
    if not kept:
        return dict(zip(tempered, prior.shares.tolist(), strict=True))
    if len(kept) == len(tempered):
        return kept
    return _blend_weights({kind: tempered[kind] for kind in kept}, positions)


def _blended(tempered: dict[str, Floats], weights: dict[str, float]) -> Floats:
    return pool_logarithmically([tempered[kind] for kind in weights], np.array([*weights.values()]))


def divided(raw: Floats, temperature: float) -> Floats:
    """Divide the logits of probabilities by a temperature."""
    return softmax(log_of(raw) / np.float32(temperature))
