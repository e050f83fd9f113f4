"""Every decision that stands, in memory, kept up with the database a row at a time."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from hilt.pipeline.workspace.labels import is_opinion, settling
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.types import DecisionKind, Value
from hilt.values import in_words

STEPS = 50  # the latest answers by which a reviewer's pace is told


@dataclass(frozen=True, slots=True)
class StandingDecision:
    """One decision, without what the screen never asks for again: a third of a row's memory."""

    key: str | None
    item: int
    reviewer: str
    action: str
    value: Value | None
    kind: DecisionKind
    comment: str
    audit: bool
    batch: int | None
    seen: Value | None = None

    @property
    def told(self) -> str:
        """The answer in words, or what was done instead of giving one."""
        return self.action if self.value is None else in_words(self.value)

    @property
    def changed(self) -> bool:
        """Whether another answer was given than the one that was shown."""
        return self.value is not None and self.seen not in (None, self.value)


class DecisionLog:
    """What stands of the decisions.

    Attributes:
        last: The number of the newest decision that was read.
        by_item: The standing decisions on each item, oldest first.
        by_reviewer: The standing decisions of each reviewer, oldest first.
        gold: Items whose answer is known.
        pace: Each reviewer's latest steps: 1 forward or 1 back, and the seconds that it took.
        spent: The seconds that each reviewer has spent on each item, what was taken back included.
    """

    def __init__(self) -> None:
        self.last = 0
        self.by_item: dict[int, list[StandingDecision]] = defaultdict(list)
        self.by_reviewer: dict[str, list[StandingDecision]] = defaultdict(list)
        self.gold: dict[int, Value] = {}
        self.pace: dict[str, deque[tuple[int, float]]] = defaultdict(partial(deque, maxlen=STEPS))
        self.spent: dict[tuple[str, int], float] = defaultdict(float)
        self._keys: set[str] = set()
        self._standing: dict[str, StandingDecision] = {}

    def apply(self, rows: Iterable[DecisionRow]) -> set[int]:
        """Take in the rows after `last`, in order, and return the items that they touch."""
        touched = set()
        for row in rows:
            if row.id <= self.last:
                continue  # two readers at once were given it
            self.last = row.id
            if row.key is not None:
                self._keys.add(row.key)
            if row.withdraws is not None:
                self._withdraw(row.withdraws, row.reviewer)
            else:
                self._add(row)
            if row.seconds is not None:
                self.pace[row.reviewer].append((1 if row.withdraws is None else -1, row.seconds))
                self.spent[row.reviewer, row.item_index] += row.seconds
            touched.add(row.item_index)
        return touched

    def knows(self, key: str) -> bool:
        """Tell whether a decision of this key was stored, whether or not it still stands."""
        return key in self._keys

    def standing(self, key: str) -> StandingDecision | None:
        """Find a decision by its key, if it still stands."""
        return self._standing.get(key)

    def latest(self, item: int) -> dict[str, StandingDecision]:
        """Find the latest decision of each person on an item, opinions only."""
        opinions = (said for said in self.by_item.get(item, ()) if is_opinion(said))
        return {said.reviewer: said for said in opinions}

    def settled(self, item: int) -> StandingDecision | None:
        """Find what settles an item: the latest known answer, or else the latest adjudication."""
        return settling(self.by_item.get(item, ()))

    def _add(self, row: DecisionRow) -> None:
        said = StandingDecision(
            key=row.key,
            item=row.item_index,
            reviewer=row.reviewer,
            action=row.action,
            value=row.value if row.action == "label" else None,
            kind=row.kind,
            comment=row.comment,
            audit=row.audit,
            batch=row.batch,
            seen=row.seen,
        )
        self.by_item[said.item].append(said)
        self.by_reviewer[said.reviewer].append(said)
        if said.key is not None:
            self._standing[said.key] = said
        if said.kind == "gold" and said.value is not None:
            self.gold[said.item] = said.value

    def _withdraw(self, key: str, reviewer: str) -> None:
        said = self._standing.get(key)
        if said is not None and said.reviewer == reviewer:
            del self._standing[key]
            self.by_item[said.item].remove(said)
            self.by_reviewer[reviewer].remove(said)
