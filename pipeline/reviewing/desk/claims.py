"""Who has which item in hand: leases in the database, so that they hold across processes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hilt.pipeline.workspace.inserting import insert
from hilt.pipeline.workspace.tables import ClaimRow, DecisionRow


@dataclass(frozen=True, slots=True)
class Claim:
    """An item in a reviewer's hands.

    Attributes:
        item: Its place in the pool.
        blind: Whether this reviewer is not to see the proposal.
        until: When it lapses, in seconds since 1970; None once it is decided.
    """

    item: int
    reviewer: str
    blind: bool
    until: float | None

    def holds(self, now: float) -> bool:
        """Tell whether the item is still in these hands, or was decided by them."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """An item that a reviewer would take.

    Attributes:
        people: How many reviewers may hold or have decided it, all in all.
        blind: Whether it is shown blind to whoever takes it.
        again: Whether a reviewer who has decided it may take it once more.
    """

    item: int
    people: int
    blind: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """Takes, renews and returns claims; every method runs inside `Database.writing`.

    Attributes:
        seconds: How long a claim lasts unless it is renewed.
        blind_second_opinions: Whether who comes after somebody else is shown the item blind.
    """

    seconds: float
    blind_second_opinions: bool

    def take(self, session: Session, reviewer: str, wishes: Sequence[ClaimRequest]) -> list[Claim]:
        """Claim those of the wished-for items that have room, or renew the claim.

        Returns:
            What the reviewer holds of them now, in the same order.
        """
        now = time.time()
        held = _held(session, [wish.item for wish in wishes], reviewer, now)
        taken = []
        for wish in wishes:
            own = held[wish.item].pop(reviewer, None)
            decided = own is not None and own.until is None and not wish.again
            if not decided and len(held[wish.item]) < wish.people:
                second = self.blind_second_opinions and bool(held[wish.item])
                blind = own.blind if own is not None and not wish.again else wish.blind or second
                taken.append(Claim(wish.item, reviewer, blind, now + self.seconds))
        _put(session, taken)
        return taken

    def release(self, session: Session, claims: Sequence[Claim]) -> None:
        """Note claims that have lapsed before their time."""
        _put(session, claims)

    def decide(self, session: Session, rows: Sequence[DecisionRow]) -> None:
        """Note that the items of decisions are decided."""
        _put(session, self.left_by(rows))

    def left_by(self, rows: Sequence[DecisionRow]) -> list[Claim]:
        """Say what decisions leave in whose hands: an item, once its decision is taken back."""
        until = time.time() + self.seconds
        latest = {(row.item_index, row.reviewer): row for row in rows}
        return [
            Claim(index, name, row.blind, None if row.withdraws is None else until)
            for (index, name), row in latest.items()
        ]


def read_claims(session: Session) -> list[Claim]:
    """Read every claim, lapsed ones too."""
    return [_claim(row) for row in session.scalars(select(ClaimRow))]


def _held(
    session: Session, items: Collection[int], reviewer: str, now: float
) -> dict[int, dict[str, Claim]]:
    """Find who holds or has decided each item, and what the reviewer themselves held before.

    Whoever has seen a proposal has seen it, also once their claim has lapsed.
    """
    standing = or_(ClaimRow.until.is_(None), ClaimRow.until > now, ClaimRow.reviewer == reviewer)
    query = select(ClaimRow).where(ClaimRow.item_index.in_(items), standing)
    held: dict[int, dict[str, Claim]] = defaultdict(dict)
    for row in session.scalars(query):
        held[row.item_index][row.reviewer] = _claim(row)
    return held


def _put(session: Session, claims: Sequence[Claim]) -> None:
    """Write claims over earlier ones of the same reviewers on the same items."""
    if claims:
        statement = insert(session, ClaimRow)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["item_index", "reviewer"],
                set_={"until": statement.excluded.until, "blind": statement.excluded.blind},
            ),
            [
                {"item_index": c.item, "reviewer": c.reviewer, "until": c.until, "blind": c.blind}
                for c in claims
            ],
        )


def _claim(row: ClaimRow) -> Claim:
    return Claim(row.item_index, row.reviewer, row.blind, row.until)
