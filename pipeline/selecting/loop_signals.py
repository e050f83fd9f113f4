"""What the loop has measured of itself so far, for selectors that adapt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hilt.loop_signals import LoopSignals
from hilt.metrics import calibration_of
from hilt.pipeline.proposing.succession import read_stability
from hilt.pipeline.training.selection_gain import MIN_AUDIT
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.tables import TrainingRow


def read_signals(files: WorkspaceFiles, training: TrainingRow | None) -> LoopSignals:
    """Gather what was measured at the last training, and when its student proposed."""
    if training is None:
        return LoopSignals()
    audit, advantage = training.summary.audit, training.summary.advantage
    enough = training.summary.audit_labels >= MIN_AUDIT
    return LoopSignals(
        calibration_error=_beyond_chance(audit["fused"]) if audit and enough else None,
        stability=read_stability(files, training.cycle),
        advantage=(advantage["difference"], advantage["standard_error"]) if advantage else None,
    )


def _beyond_chance(measured: Mapping[str, Any]) -> float | None:
    """Read a calibration error, 0 where it may be chance, which should change no selection."""
    error, limit = calibration_of(measured)
    if limit is None:
        return None
    return error if error > limit else 0.0
