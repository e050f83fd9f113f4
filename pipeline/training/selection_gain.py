"""How much more chosen labels teach than random ones, as a value and in words."""

from __future__ import annotations

from dataclasses import dataclass

from hilt.pipeline.workspace.training_summary import TrainingSummary

MIN_AUDIT = 20  # audit labels before anything is said
MIN_CHOSEN = 10


@dataclass(frozen=True, slots=True)
class SelectionGain:
    """How much more chosen labels teach than random ones.

    Attributes:
        difference: In mean log-likelihood of an audit item; above 0, chosen labels teach more.
        standard_error: Of that difference, were other items audited and other labels learnt.
        audit_labels: How many items it was measured on.
        labels: How many chosen labels the one student learnt from.
        replaced: How many of them are random labels for the other student.
    """

    difference: float
    standard_error: float
    audit_labels: int
    labels: int
    replaced: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference."""
        half = 1.96 * self.standard_error
        return self.difference - half, self.difference + half


def advantage_sentence(summary: TrainingSummary) -> str:
    """Say in a sentence whether selected labels teach more than random ones.

    Args:
        summary: Of a training; one of an older hilt says nothing about it.
    """
    if summary.advantage is None:
        audit = summary.audit_labels
        return (
            f"Selected and random labels cannot be compared yet: that needs {MIN_AUDIT} audit"
            f" labels and {MIN_CHOSEN} others; there are {audit} and"
            f" {summary.human_labels - audit}."
        )
    gain = SelectionGain(**summary.advantage)
    low, high = gain.interval
    paying = "is" if low > 0 else "is not" if high < 0 else "is not clearly"
    change, size = "fall", gain.difference
    if size < 0:
        change, size, low, high = "rise", -size, -high, -low
    return (
        f"Selection {paying} paying off: with {gain.replaced} of the {gain.labels} selected labels"
        f" replaced by random ones, the student's mean log-likelihood on {gain.audit_labels} audit"
        f" items would {change} by {size:.2f} (95 % interval {low:.2f} to {high:.2f})."
    )
