"""What a training came to, as it is stored with it: the one place that reads and writes that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMAT = 2  # a summary without a number is of an older hilt, which measured less

Measured = Mapping[str, Any]  # of the student, of the proposer and of all fused, by these names


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSummary:
    """What a training came to.

    Attributes:
        human_labels: Items with a label of people.
        decisions: What people said, all together.
        review_seconds: How long that took, as far as it was measured.
        audit_labels: Labels of items that were drawn at random.
        label_counts: How often people gave each label.
        kind: Of the student.
        self_training: What a guessed example counted; 0 for none.
        fusion: The exponent of the student and of each proposer, by name.
        proposers: What was measured of each of them on audit items, by name.
        scores: Mean negative log-likelihood, out of fold, of each kind of student that was tried.
        seconds: How long the training took.
        audit: What was measured on audit items; None where there was none.
        audited_items: For how many items, from the first, the audit stands; None if an older hilt
            trained, when it stood for all.
        on_pool: The accuracies on items like the pool; None where nobody knows.
        on_rest: The same on what is left of the pool.
        labelled: The student's accuracy on labelled items, by cross-validation, and whether a
            selector `picked` any of them; None if an older hilt trained.
        test: What was measured on the test set; None where there is none.
        advantage: How much more chosen labels teach than random ones, the fields of
            `SelectionGain`; None where nobody knows.
        pool_items: Of the pool now; not stored.
        left_out: What of the pool now the audit does not measure; not stored.
        score: What the task calls its accuracies; not stored.
        format: Of the summary as it was stored; 1 for that of an older hilt.
    """

    human_labels: int
    audit_labels: int
    kind: str
    seconds: float
    decisions: int = 0
    review_seconds: float = 0.0
    self_training: float = 0.0
    label_counts: Mapping[str, int]
    fusion: Mapping[str, float]
    proposers: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, float]
    audit: Measured | None = None
    audited_items: int | None = None
    on_pool: Measured | None = None
    on_rest: Measured | None = None
    labelled: Measured | None = None
    test: Measured | None = None
    advantage: Mapping[str, Any] | None = None
    pool_items: int | None = None
    left_out: Mapping[str, int] | None = None
    score: str = "accuracy"
    format: int = FORMAT

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> TrainingSummary:
        """Read a summary of this hilt or of an older one.

        Raises:
            ValueError: If a newer hilt wrote it, or it is none.
        """
        number = stored.get("format", 1)
        if not isinstance(number, int) or number > FORMAT:
            raise ValueError(
                f"the summary of a training has the format {number!r}, and this hilt knows {FORMAT}"
            )
        known = {field.name for field in fields(cls)}
        older: dict[str, Any] = {"label_counts": {}, "proposers": {}, "scores": {}, "format": 1}
        values = older | {name: value for name, value in stored.items() if name in known}
        if isinstance(values.get("fusion"), list):  # of the oldest, which had one proposer
            values["fusion"] = dict(zip(("student", "proposer"), values["fusion"], strict=False))
        try:
            return cls(**values)
        except TypeError:
            raise ValueError("the summary of a training lacks what every one has") from None

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold, without what is not known of the pool now."""
        now = ("pool_items", "left_out")
        return {
            name: value
            for name, value in asdict(self).items()
            if name != "score" and (name not in now or value is not None)
        }
