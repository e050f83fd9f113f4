"""What the loop has measured of itself so far, for selectors that adapt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hilt.files import read_object, write_json
from hilt.pipeline.measuring.accuracy import calibration_of
from hilt.pipeline.training.selection_gain import MIN_AUDIT
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.selectors.arithmetic.uncertainty import likeliest_labels
from hilt.types import Integers, LoopSignals

COMPARED_ITEMS = 2000


def read_signals(workspace: Workspace, training: TrainingRow | None) -> LoopSignals:
    """Gather what was measured at the last training, and when its student proposed."""
    if training is None:
        return LoopSignals()
    audit, advantage = training.summary["audit"], training.summary.get("advantage")
    enough = training.summary["audit_labels"] >= MIN_AUDIT
    return LoopSignals(
        calibration_error=_beyond_chance(audit["fused"]) if audit and enough else None,
        agreement=_agreement(workspace, training.cycle),
        advantage=(advantage["difference"], advantage["standard_error"]) if advantage else None,
    )


def compared_labels(workspace: Workspace, proposal: ArrayFile, n_items: int) -> Integers:
    """Read the likeliest labels of a sample of the first items, the same one every time."""
    rng = generator(workspace.config.seed, Stream.SUCCESSION)
    sample = rng.choice(n_items, min(COMPARED_ITEMS, n_items), replace=False)
    return likeliest_labels(proposal.open(), np.sort(sample))


def save_agreement(workspace: Workspace, cycle: int, before: Integers, after: Integers) -> None:
    """Keep which share of the sample the student of a cycle labels as the one before it did."""
    agreement = round(float((before == after).mean()), 4)
    path = workspace.proposal_summary("student")
    write_json(path, {"cycle": cycle, "agreement": agreement})


def _beyond_chance(measured: Mapping[str, Any]) -> float | None:
    """Read a calibration error, 0 where it may be chance, which should change no selection."""
    error, limit = calibration_of(measured)
    if limit is None:
        return None
    return error if error > limit else 0.0


def _agreement(workspace: Workspace, cycle: int) -> float | None:
    """Read what `save_agreement` kept; a process killed before that leaves an earlier cycle's."""
    told = read_object(workspace.proposal_summary("student")) or {}
    agreement = told.get("agreement") if told.get("cycle") == cycle else None
    return agreement if isinstance(agreement, float) else None
