"""What is asked about, and who may have which item next."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hilt.media.shown import Shown
from hilt.pipeline.configuration.review import Review
from hilt.pipeline.reviewing.desk.answered import Answered
from hilt.pipeline.reviewing.desk.claims import Claim, ClaimRequest
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog, StandingDecision
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.types import Value


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that is asked about.

    Attributes:
        index: Its place in the pool.
        row: The item as it stands in its batch.
        note: How its batch was picked.
        people: How many reviewers shall decide it.
        blind: Whether nobody is shown its proposal.
        check: Whether it is asked again when it was decided in bulk.
    """

    index: int
    row: BatchItemRow
    shown: Shown
    note: str
    people: int
    blind: bool
    check: bool

    @property
    def again(self) -> bool:
        """Whether it was decided before this batch asked about it."""
        return self.row.reason == "recheck"

    @property
    def proposed(self) -> Value | None:
        """The answer that is proposed."""
        return self.row.proposed


class Assignments:
    """The items of the open batches in their order, with what each still needs.

    Args:
        ledger: What was decided.
        review: How many people decide an item, and what is drawn to be blind.
        seed: Of those draws: they are the same in every process.

    Attributes:
        entries: The items by their place in the pool.
        complete: Those that need nobody any more.
        answered: Who has answered which of them.
    """

    def __init__(self, ledger: DecisionLog, review: Review, seed: int) -> None:
        self.entries: dict[int, Entry] = {}
        self.complete: set[int] = set()
        self.answered = Answered()
        self._passed_on = Answered()  # what somebody has answered, and others have not yet
        self._alone = True
        self._ledger = ledger
        self._review = review
        self._seed = seed
        self._claims: dict[int, dict[str, Claim]] = defaultdict(dict)
        self._order: list[int] = []
        self._place: dict[int, int] = {}
        self._first = 0

    @property
    def alone(self) -> bool:
        """Whether nobody else is there who could be asked."""
        return self._alone

    @alone.setter
    def alone(self, alone: bool) -> None:
        if alone != self._alone:
            self._alone = alone
            self.update(list(self.entries))

    def left(self, reviewer: str) -> int:
        """Count the items that a reviewer may still be asked about, now or later."""
        passed_on = len(self._passed_on.items[reviewer])
        return len(self.entries) - len(self.complete) - passed_on

    def add(self, rows: Iterable[BatchItemRow], shown: Iterable[Shown], note: str = "") -> None:
        """Put the items of a batch behind those that are there."""
        for row, seen in zip(rows, shown, strict=True):
            entry = self._entry(row, seen, note)
            self.entries[entry.index] = entry
            self._place[entry.index] = len(self._order)
            self._order.append(entry.index)
            self.update([entry.index])

    def clear(self) -> None:
        """Forget all items."""
        self.entries.clear()
        self.complete.clear()
        self.answered.clear()
        self._passed_on.clear()
        self._order.clear()
        self._place.clear()
        self._first = 0

    def update(self, items: Iterable[int]) -> None:
        """Look again at items that were decided, or whose decision was taken back."""
        for item in items:
            entry = self.entries.get(item)
            if entry is None:
                continue
            deciders = self._deciders(entry)
            self.answered.note(item, deciders)
            if self._is_complete(entry):
                self.complete.add(item)
                self._passed_on.note(item, ())
            else:
                self.complete.discard(item)
                self._first = min(self._first, self._place[item])
                asked_again = self.alone and self.awaits_check(entry)
                self._passed_on.note(item, () if asked_again else deciders)

    def note(self, claims: Iterable[Claim]) -> None:
        """Remember who holds what; the database decides, this only saves asking it in vain."""
        for claim in claims:
            self._claims[claim.item][claim.reviewer] = claim

    def claim(self, item: int, reviewer: str) -> Claim | None:
        """Find a reviewer's claim on an item, lapsed or not."""
        return self._claims[item].get(reviewer)

    def wishes(self, reviewer: str, besides: Collection[int]) -> Iterator[ClaimRequest]:
        """List what a reviewer may be given next, in order, without the items `besides`."""
        now = time.time()
        while self._first < len(self._order) and self._order[self._first] in self.complete:
            self._first += 1
        for place in range(self._first, len(self._order)):
            item = self._order[place]
            if item in self.complete or item in besides or self._is_full(item, reviewer, now):
                continue
            wish = self.wish(item, reviewer, now)
            if wish is not None:
                yield wish

    def wish(self, item: int, reviewer: str, now: float) -> ClaimRequest | None:
        """Say how an item may be claimed by a reviewer, or None when it may not."""
        entry = self.entries.get(item)
        if entry is None or item in self.complete:
            return None
        deciders = self._deciders(entry)
        earlier = set(self._ledger.latest(item)) - deciders  # their claims say "decided" still
        checking = self.awaits_check(entry)
        if reviewer in deciders and not (checking and self.alone):
            return None
        claims = self._claims[item].items()
        holders = {
            name
            for name, claim in claims
            if claim.holds(now) and not (claim.until is None and name in earlier)
        }
        people = entry.people + checking
        others = (deciders | holders) - {reviewer}
        if len(others) >= people:
            return None
        before = earlier - {reviewer}
        second = bool(others or before) and self._review.second_opinions == "blind"
        again = reviewer in deciders or reviewer in earlier
        return ClaimRequest(item, people + len(before), entry.blind or checking or second, again)

    def _is_full(self, item: int, reviewer: str, now: float) -> bool:
        """Tell at a glance whether others hold all of an item; most items before it are so."""
        entry, claims = self.entries[item], self._claims[item]
        if entry.again:
            return False
        others = sum(claim.holds(now) for name, claim in claims.items() if name != reviewer)
        return others >= entry.people + entry.check

    def _deciders(self, entry: Entry) -> set[str]:
        """List who decided an item; of a recheck, who did since it was asked again."""
        latest = self._ledger.latest(entry.index)
        return {
            name
            for name, said in latest.items()
            if not entry.again or said.batch == entry.row.batch
        }

    def awaits_check(self, entry: Entry) -> bool:
        """Tell whether an item was decided in bulk and is to be asked again."""
        kinds = {said.kind for said in self._ledger.by_item.get(entry.index, ())}
        return entry.check and "bulk" in kinds and "check" not in kinds

    def _is_complete(self, entry: Entry) -> bool:
        said = self._ledger.by_item.get(entry.index, [])
        if self._ledger.settled(entry.index) or _answered_by_machine(entry, said):
            return True
        return len(self._deciders(entry)) >= entry.people and not self.awaits_check(entry)

    def _entry(self, row: BatchItemRow, shown: Shown, note: str) -> Entry:
        review = self._review
        several = self._draw("overlap", row.item_index) < review.overlap_share
        return Entry(
            index=row.item_index,
            row=row,
            shown=shown,
            note=note,
            people=review.overlap if several else 1,
            blind=row.blind or self._draw("blind", row.item_index) < review.blind_share,
            check=self._draw("check", row.item_index) < review.bulk_check,
        )

    def _draw(self, what: str, item: int) -> float:
        """Draw from [0, 1) for an item, always the same."""
        digest = hashlib.sha256(f"{self._seed}:{what}:{item}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _answered_by_machine(entry: Entry, said: Collection[StandingDecision]) -> bool:
    """Tell whether a proposer answered it; what is blind or asked again waits for people."""
    return not (entry.row.blind or entry.again) and any(each.kind == "machine" for each in said)
