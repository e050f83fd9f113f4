"""How far the work is, in numbers that are kept up item by item."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from hilt.figures import between, percent
from hilt.intervals import wilson
from hilt.pipeline.reviewing.desk.assignments import Assignments
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog, StandingDecision
from hilt.pipeline.training.headline import MIN_AUDIT, too_early
from hilt.pipeline.workspace.audit_slice import count_drawn
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.review.screen.protocol import Next, ReviewProgress, WorkSummary
from hilt.types import Value


class ProgressBoard:
    """Keeps count.

    Args:
        ledger: What was decided.
        assignments: What is asked about.
        has_text: Tells whether an item can be asked about at all.
    """

    def __init__(
        self, ledger: DecisionLog, assignments: Assignments, has_text: Callable[[int], bool]
    ) -> None:
        self._ledger = ledger
        self._assignments = assignments
        self._has_text = has_text
        self._proposed: dict[int, Value] = {}
        self._right: dict[int, bool] = {}
        self._copies: dict[int, int] = {}
        self.disputed: set[int] = set()

    def watch(self, rows: Iterable[BatchItemRow]) -> None:
        """Learn what was proposed for the items of a batch that measure."""
        for row in rows:
            if row.reason == "audit" and row.proposed is not None:
                self._proposed[row.item_index] = row.proposed

    def weigh(self, copies: Mapping[int, int]) -> None:
        """Learn which items are drawn beside those that are asked, and have their answers."""
        self._copies |= copies

    def update(self, items: Iterable[int]) -> None:
        """Count items again on which something was said."""
        for item in items:
            latest = self._ledger.latest(item)
            self._measure(item, latest.values())
            values = {said.value for said in latest.values() if said.value is not None}
            if len(values) > 1 and not self._ledger.settled(item) and self._has_text(item):
                self.disputed.add(item)
            else:
                self.disputed.discard(item)

    def standing(self, reviewer: str, refill: str, *, busy: bool = False) -> ReviewProgress:
        """Say how far the work is, for one reviewer."""
        said = self._ledger.by_reviewer.get(reviewer, [])
        return ReviewProgress(
            total=len(self._assignments.entries),
            done=len(self._assignments.complete),
            left=self._assignments.left(reviewer),
            mine=len(said),
            per_hour=_pace(self._ledger.pace.get(reviewer, ())),
            accuracy=self._accuracy(),
            disputes=len(self.disputed),
            refill=refill,
            busy=busy,
        )

    def summary(self, reviewer: str, *, live: bool, then: Next | None) -> WorkSummary:
        """Say what a reviewer did about the items that are asked about now."""
        items = self._assignments.answered.items.get(reviewer, ())
        said = [self._ledger.latest(item)[reviewer] for item in items]
        return WorkSummary(
            answered=len(said),
            changed=sum(each.changed for each in said),
            skipped=sum(each.action == "skip" for each in said),
            flagged=sum(each.action == "flag" for each in said),
            seconds=round(sum(self._ledger.spent.get((reviewer, item), 0.0) for item in items), 1),
            elsewhere=len(self._assignments.entries) - len(self._assignments.complete),
            live=live,
            next=then,
        )

    def _measure(self, item: int, opinions: Iterable[StandingDecision]) -> None:
        proposed = self._proposed.get(item)
        blind = [said for said in opinions if said.audit and said.value is not None]
        if proposed is not None and blind:  # who was overruled stays in the audit
            self._right[item] = proposed == (self._ledger.settled(item) or blind[-1]).value
        else:
            self._right.pop(item, None)

    def _accuracy(self) -> str:
        """Say how often proposals are right, once enough blind items tell."""
        times = count_drawn(self._copies, list(self._right)).tolist()
        hits = sum(time for time, right in zip(times, self._right.values(), strict=True) if right)
        items = sum(times)
        if not items:
            return ""
        if items < MIN_AUDIT:
            return f"proposals right: {too_early(items)}"
        low, high = wilson(hits, items)
        right = f"proposals right {percent(hits / items)}"
        return f"{right} ({between(low, high)}; {items:,} labelled blind)"


def _pace(steps: Collection[tuple[int, float]]) -> float | None:
    """Turn steps forward and back, with their seconds, into items an hour."""
    items, seconds = sum(step for step, _ in steps), sum(spent for _, spent in steps)
    return 3600 * max(0, items) / seconds if seconds else None
