"""What the loop has measured so far, for selectors that adapt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoopSignals:
    """What the loop has measured so far, for selectors that adapt; None where it was not yet.

    Attributes:
        calibration_error: Of the fused proposal on labels that it has not seen, less what chance
            brings; 0 where all of it may be chance.
        stability: Share of a sample of the pool that the last two students label alike.
        advantage: How much more chosen labels teach than random ones in the place of some: the
            difference in log-likelihood per audit item, with its standard error.
    """

    calibration_error: float | None = None
    stability: float | None = None
    advantage: tuple[float, float] | None = None
