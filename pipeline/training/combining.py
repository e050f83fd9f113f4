"""How kinds of student are tempered, blended and fused with the proposers, by the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilt.pipeline.measuring.calibration import fit_temperature
from hilt.pipeline.proposing.fusion import Trust, weigh
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.rows import Rows
from hilt.tasks.base import RowMath
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
    def fit(cls, raw: dict[str, Rows], data: TrainingData, rows: Integers) -> Combination:
        """Fit on the labels at some rows what kinds predict of all labelled items out of fold."""
        math, true = data.task.rows, data.true_units(rows)
        known = {kind: each.take(rows) for kind, each in raw.items()}
        temperatures = {
            kind: fit_temperature(data.units(each), true) for kind, each in known.items()
        }
        tempered = {kind: math.tempered(known[kind], t) for kind, t in temperatures.items()}
        units = {kind: data.units(each) for kind, each in tempered.items()}
        weights = _blend_weights(units, true)
        blended = math.pool([tempered[kind] for kind in weights], np.array([*weights.values()]))
        fusion = fusion_weights(blended, data, rows)
        return cls(temperatures, weights, fusion)

    def student(self, raw: dict[str, Rows], math: RowMath) -> Rows:
        """Temper and blend what kinds predict."""
        tempered = [math.tempered(raw[kind], self.temperatures[kind]) for kind in self.weights]
        return math.pool(tempered, np.array([*self.weights.values()]))

    def fused(self, student: Rows, proposals: Said, math: RowMath) -> Rows:
        """Fuse what a student says of some items with what the proposers say of them."""
        return math.pool([student, *proposals], self.fusion)


def fusion_weights(out_of_fold: Rows, data: TrainingData, rows: Integers) -> Floats:
    """Weigh the student and the proposers on the labels at some rows, which none has seen.

    Args:
        out_of_fold: What the student says of those.
        data: Has the labels, and what the proposers say.
        rows: Of the labelled items.
    """
    prior = data.trust.beside_a_student()
    said = [out_of_fold, *(each.take(rows) for each in data.proposals)]
    return weigh([data.units(each) for each in said], data.true_units(rows), prior)


def _blend_weights(tempered: dict[str, Floats], true: Integers) -> dict[str, float]:
    """Weigh ways of training by their out-of-fold predictions, without those that add little."""
    if len(tempered) == 1:
        return dict.fromkeys(tempered, 1.0)
    prior = Trust(np.ones(len(tempered)), np.full(len(tempered), 1 / len(tempered)))
    weights = weigh([*tempered.values()], true, prior)
    least = MIN_SHARE * weights.sum()
    kept = {k: float(w) for k, w in zip(tempered, weights, strict=True) if w and w >= least}
    if not kept:
        return dict(zip(tempered, prior.shares.tolist(), strict=True))
    if len(kept) == len(tempered):
        return kept
    return _blend_weights({kind: tempered[kind] for kind in kept}, true)
