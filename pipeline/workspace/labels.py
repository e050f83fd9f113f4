"""What the decisions about an item amount to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hilt.pipeline.workspace.tables import DecisionRow
from hilt.tasks.base import Answers
from hilt.types import DecisionKind, Value

UNDO = "undo"  # the action that takes an earlier decision back
ADJUDICATIONS: tuple[DecisionKind, ...] = ("adjudication", "rule")
SETTLING: tuple[DecisionKind, ...] = ("gold", *ADJUDICATIONS)


class Decided(Protocol):
    """Anything that says what kind of decision it is."""

    @property
    def kind(self) -> DecisionKind:
        """What it is; see `hilt.types.Decision`."""
        ...


AnyDecision = TypeVar("AnyDecision", bound=Decided)


@dataclass(frozen=True, slots=True)
class ItemLabel:
    """What an item's decisions amount to.

    Attributes:
        value: The resolved answer; None when it was skipped or flagged, or somebody has to settle
            it.
        audit: Whether somebody was asked blind, in an audit slice. It stays so when they are
            overruled: an item that drops out of the audit whenever its first label was wrong would
            leave the easy ones.
        reviewers: Who gave that answer.
        machine: Whether only proposers decided, and no person; nothing is measured by such a label.
        blind: Whether a person who gave a label gave it without sight of the proposal.
        decision: The number of the first decision that gave it; 0 where there is no label.
    """

    index: int
    item_id: str
    value: Value | None
    audit: bool
    reviewers: tuple[str, ...]
    machine: bool = False
    blind: bool = False
    decision: int = 0

    @property
    def by_people(self) -> bool:
        """Whether there is a label, and people gave it."""
        return self.value is not None and not self.machine


def not_withdrawn(rows: Iterable[DecisionRow]) -> list[DecisionRow]:
    """Leave out the decisions that their reviewer took back, and the taking back."""
    rows = list(rows)
    withdrawn = {(row.reviewer, row.withdraws) for row in rows if row.withdraws is not None}
    return [row for row in rows if row.action != UNDO and (row.reviewer, row.key) not in withdrawn]


def resolve_all(rows: Iterable[DecisionRow], answers: Answers) -> list[ItemLabel]:
    """Resolve every item's decisions, in the order of the pool."""
    by_item: dict[int, list[DecisionRow]] = defaultdict(list)
    for row in not_withdrawn(rows):
        by_item[row.item_index].append(row)
    return [resolve(by_item[index], answers) for index in sorted(by_item)]


def resolve(rows: Sequence[DecisionRow], answers: Answers) -> ItemLabel:
    """Resolve the standing decisions about one item.

    A known answer settles it, then an adjudication, then people, and only then machines. Of each
    reviewer the latest decision counts; what those come to that give an answer, the task says.

    Args:
        rows: At least one, in the order in which they were made.
        answers: Of the task.
    """
    people = [row for row in rows if row.kind != "machine"]
    latest = {row.reviewer: row for row in people or rows}  # dictionaries keep the last value
    settled = settling(people)
    decisive = [settled] if settled else sorted(latest.values(), key=lambda row: row.id)
    answered = [row for row in decisive if row.action == "label"]
    value = answers.resolve([row.value for row in answered]) if answered else None
    same = [row for row in latest.values() if row.action == "label" and row.value == value]
    agreeing = [] if value is None else same or answered  # who gave it, or what it was made of
    return ItemLabel(
        index=rows[0].item_index,
        item_id=rows[0].item_id,
        value=value,
        audit=value is not None and any(row.audit for row in people),
        reviewers=tuple(sorted(row.reviewer for row in agreeing)),
        machine=not people,
        blind=value is not None and any(row.blind for row in people),
        decision=min((row.id for row in agreeing), default=0),
    )


def settling(rows: Sequence[AnyDecision]) -> AnyDecision | None:
    """Find what settles an item: the latest known answer, or else the latest adjudication."""
    for kinds in (("gold",), ADJUDICATIONS):
        settled = [row for row in rows if row.kind in kinds]
        if settled:
            return settled[-1]
    return None


def is_opinion(row: Decided) -> bool:
    """Tell whether somebody said what they think of the item, and did not settle it."""
    return row.kind != "machine" and row.kind not in SETTLING
