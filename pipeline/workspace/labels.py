"""What the decisions about an item amount to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hilt.pipeline.workspace.tables import DecisionRow
from hilt.types import DecisionKind

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
        label: The resolved label, or None when it was skipped or flagged.
        audit: Whether somebody was asked blind, in an audit slice. It stays so when they are
            overruled: an item that drops out of the audit whenever its first label was wrong would
            leave the easy ones.
        reviewers: Who gave that label.
        machine: Whether only proposers decided, and no person; nothing is measured by such a label.
        blind: Whether a person who gave a label gave it without sight of the proposal.
        decision: The number of the first decision that gave it; 0 where there is no label.
    """

    index: int
    item_id: str
    label: str | None
    audit: bool
    reviewers: tuple[str, ...]
    machine: bool = False
    blind: bool = False
    decision: int = 0

    @property
    def by_people(self) -> bool:
        """Whether there is a label, and people gave it."""
        return self.label is not None and not self.machine


def not_withdrawn(rows: Iterable[DecisionRow]) -> list[DecisionRow]:
    """Leave out the decisions that their reviewer took back, and the taking back."""
    rows = list(rows)
    withdrawn = {(row.reviewer, row.withdraws) for row in rows if row.withdraws is not None}
    return [row for row in rows if row.action != UNDO and (row.reviewer, row.key) not in withdrawn]


def resolve_all(rows: Iterable[DecisionRow]) -> list[ItemLabel]:
    """Resolve every item's decisions, in the order of the pool."""
    by_item: dict[int, list[DecisionRow]] = defaultdict(list)
    for row in not_withdrawn(rows):
        by_item[row.item_index].append(row)
    return [resolve(by_item[index]) for index in sorted(by_item)]


def resolve(rows: Sequence[DecisionRow]) -> ItemLabel:
    """Resolve the standing decisions about one item.

    A known answer settles it, then an adjudication, then people, and only then machines. Of each
    reviewer the latest decision counts. Among those that give a label the majority wins, and of
    equals the latest.

    Args:
        rows: At least one, in the order in which they were made.
    """
    people = [row for row in rows if row.kind != "machine"]
    latest = {row.reviewer: row for row in people or rows}  # dictionaries keep the last value
    settled = settling(people)
    decisive = [settled] if settled else sorted(latest.values(), key=lambda row: row.id)
    given = [row.labels[0] for row in decisive if row.action == "label"]
    label = None
    if given:
        counts = Counter(given)
        most = max(counts.values())
        label = [each for each in given if counts[each] == most][-1]
    winners = [row for row in latest.values() if label is not None and row.labels == [label]]
    return ItemLabel(
        index=rows[0].item_index,
        item_id=rows[0].item_id,
        label=label,
        audit=label is not None and any(row.audit for row in people),
        reviewers=tuple(sorted(row.reviewer for row in winners)),
        machine=not people,
        blind=label is not None and any(row.blind for row in people),
        decision=min((row.id for row in winners), default=0),
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
