"""The desk of a workspace: hands out its items, and takes in what people say about them."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice

from sqlalchemy.orm import Session

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.outdated import read_outdated
from hilt.pipeline.reviewing.desk.ahead import Ahead, in_words
from hilt.pipeline.reviewing.desk.answer_checks import Recorder
from hilt.pipeline.reviewing.desk.assignments import Entry
from hilt.pipeline.reviewing.desk.bulk_groups import largest_group
from hilt.pipeline.reviewing.desk.claims import Claim, ClaimRequest, Claims
from hilt.pipeline.reviewing.desk.decision_log import StandingDecision
from hilt.pipeline.reviewing.desk.gold_items import GoldItems
from hilt.pipeline.reviewing.desk.group_commit import GroupCommit
from hilt.pipeline.reviewing.desk.live_state import LiveState
from hilt.pipeline.reviewing.desk.refill import Refill
from hilt.pipeline.reviewing.desk.secret import read_secret
from hilt.pipeline.reviewing.disagreements import doubt_of_skill, little_known, settle_disputes
from hilt.pipeline.reviewing.reviewers import LOCAL, hash_token
from hilt.pipeline.selecting.explanation import reason_in_words
from hilt.pipeline.workspace.batch_items import batch_item
from hilt.pipeline.workspace.gate import append_decisions
from hilt.pipeline.workspace.labels import ADJUDICATIONS
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.screen.parts import part_of
from hilt.review.screen.protocol import (
    Answer,
    BulkGroup,
    Dispute,
    Fields,
    Guide,
    Method,
    Opinion,
    PastAnswer,
    Person,
    Receipt,
    ReviewProgress,
    Served,
    ShownItem,
    Task,
    WorkSummary,
)
from hilt.types import Integers

TRIES = 5  # to claim items, when other server processes claim the same ones
SMALLEST_GROUP = 2


class WorkspaceDesk:
    """The desk of one workspace; everything but reading and writing is done on the event loop.

    Args:
        workspace: Whose items are reviewed.
        live: Whether more items are selected in the background when few are left.
    """

    def __init__(self, workspace: Workspace, *, live: bool = False) -> None:
        config = workspace.config
        self._workspace = workspace
        self._state = LiveState(workspace, workspace.database)
        self._claims = Claims(
            seconds=60 * config.review.claim_minutes,
            blind_second_opinions=config.review.second_opinions == "blind",
        )
        self._gold = GoldItems(self._state.ledger, config, self._state.has_text)
        self._recorder = Recorder(workspace, self._state.ledger, self._state.assignments)
        self._writer = GroupCommit(workspace.database, self._state.follow)
        self._ahead = Ahead(self._read, self._state.ledger, self._waiting)
        self._refill = Refill(workspace, self._ahead, self._left, self.refresh, live=live)

    @cached_property
    def task(self) -> Task:
        """What is the same for every item."""
        config, folder = self._workspace.config, self._workspace.folder.resolve()
        known_by = f"{folder}:{self._workspace.pool.fingerprints[0]}"  # stays when it grows
        return Task(
            title=folder.name,
            name=self._workspace.task.name,
            part=part_of(self._workspace.task),
            workspace=hashlib.sha256(known_by.encode()).hexdigest()[:16],
            labels=tuple(
                Guide(name, description, config.review.guidelines.get(name, ""))
                for name, description in config.labels.items()
            ),
            introduction=config.review.introduction,
        )

    @cached_property
    def secret(self) -> bytes:
        """A secret of the workspace, made when it is first asked for."""
        return read_secret(self._workspace.folder)

    @cached_property
    def _is_outdated(self) -> bool:
        """Whether another configuration made the embeddings, or what rests on them, at first."""
        return bool(read_outdated(self._read())[0])

    def _read(self) -> LoopState:
        """Read the whole state as it is now."""
        return LoopState.read(self._workspace)

    async def start(self) -> None:
        """Read where the work stands; before anything else."""
        await self._state.start()
        self._writer.start()
        self._refill.start()

    async def refresh(self) -> None:
        """Learn what other processes did; at most once a second it takes time."""
        await self._state.refresh()

    async def stop(self) -> None:
        """Write what waits and let go."""
        await self._refill.stop()
        await self._writer.stop()

    # -- people -------------------------------------------------------------------------------

    def local(self) -> Person | None:
        """Say who sits at this machine without a token; nobody once a reviewer was added."""
        return None if self._state.people else Person(LOCAL, adjudicator=True, seal="")

    def admit(self, token: str) -> Person | None:
        """Find whose token it is."""
        given = hash_token(token)
        for name, reviewer in self._state.people.items():
            if secrets.compare_digest(reviewer.token_hash, given):
                return self.person(name)
        return None

    def person(self, name: str) -> Person | None:
        """Find a reviewer by name."""
        local, reviewer = self.local(), self._state.people.get(name)
        if reviewer is None:
            return local if local is not None and local.name == name else None
        return Person(name, reviewer.adjudicator, reviewer.token_hash)

    # -- items out ----------------------------------------------------------------------------

    async def serve(self, person: Person, holding: Collection[int], count: int) -> Served:
        """Give a reviewer items until they hold `count`, and renew their claims."""
        now, name = time.time(), person.name
        assignments = self._state.assignments
        wishes = [wish for item in holding if (wish := assignments.wish(item, name, now))]
        kept = [claim.item for claim in await self._take(name, wishes)]
        kept += [item for item in holding if item not in kept and self._gold.awaits(item, name)]
        missing = max(0, count - len(kept))
        gold = self._gold.draw(name, kept, missing)
        found: list[Claim] = []
        for _ in range(TRIES):
            wanted = missing - len(gold) - len(found)
            besides = {*kept, *gold, *(claim.item for claim in found)}
            wishes = list(islice(assignments.wishes(name, besides), wanted))
            if not wishes:
                break
            found += await self._take(name, wishes)
        items = [self._shown(claim.item, claim.blind) for claim in found]
        for item in gold:
            items.insert(item % (len(items) + 1), self._shown(item, blind=True))
        return Served(tuple(kept), tuple(items))

    async def _take(self, reviewer: str, wishes: Sequence[ClaimRequest]) -> list[Claim]:
        """Claim items; meanwhile nobody else of this process tries to."""
        if not wishes:
            return []
        assignments, soon = self._state.assignments, time.time() + self._claims.seconds
        before = [assignments.claim(wish.item, reviewer) for wish in wishes]
        assignments.note(
            # An answer may come meanwhile, so what is known of who saw what stays known.
            Claim(wish.item, reviewer, wish.blind if claim is None else claim.blind, soon)
            for wish, claim in zip(wishes, before, strict=True)
        )
        taken = await self._writer.run(partial(self._claims.take, reviewer=reviewer, wishes=wishes))
        got = {claim.item for claim in taken}
        for wish, claim in zip(wishes, before, strict=True):
            if wish.item not in got:  # another process was quicker
                lapsed = Claim(wish.item, reviewer, wish.blind, 0.0)
                other = Claim(wish.item, "", wish.blind, soon)
                assignments.note([claim or lapsed, other])
        assignments.note(taken)
        return taken

    async def release(self, person: Person, items: Collection[int]) -> None:
        """Take items back that a reviewer leaves undecided, so that others may have them."""
        assignments = self._state.assignments
        claims = [assignments.claim(item, person.name) for item in items]
        left = [replace(claim, until=0.0) for claim in claims if claim and claim.until is not None]
        assignments.note(left)
        await self._writer.run(partial(self._claims.release, claims=left))

    async def group(self, person: Person, skipped: Collection[int]) -> BulkGroup | None:
        """Give a reviewer many items at once; `skipped` are first items of groups passed over."""
        name, assignments = person.name, self._state.assignments
        wishes = {wish.item: wish for wish in assignments.wishes(name, ()) if not wish.blind}
        entries = [assignments.entries[item] for item in wishes]
        entries = [entry for entry in entries if entry.proposed is not None]
        if await asyncio.to_thread(lambda: self._is_outdated):
            return None  # what is alike is told by the embeddings
        places = await asyncio.to_thread(self._places, entries, skipped)
        members = [entries[place].index for place in places]
        if len(members) < SMALLEST_GROUP:
            return None
        taken = await self._take(name, [wishes[item] for item in members])
        seen = [claim.item for claim in taken if not claim.blind]
        stratum = self._stratum(entries[places[0]])
        return BulkGroup(stratum, tuple(self._shown(item, blind=False) for item in seen))

    def _places(self, entries: Sequence[Entry], skipped: Collection[int]) -> Integers:
        """Find a group among the entries, around one that is not passed over."""
        review, indices = self._workspace.config.review, [entry.index for entry in entries]
        return largest_group(
            [place for place, item in enumerate(indices) if item not in skipped],
            [self._stratum(entry) for entry in entries],
            self._workspace.embeddings.open()[indices],
            self._workspace.groups[indices],
            most=review.bulk_size,
            nearness=review.bulk_nearness,
        )

    def _stratum(self, entry: Entry) -> str:
        return self._workspace.task.answers.stratum(entry.proposed or ())

    def _shown(self, item: int, blind: bool) -> ShownItem:
        """Describe an item as far as a reviewer may see it."""
        entry = self._state.assignments.entries.get(item)
        if entry is None:
            return ShownItem(item, self._fields(item), True, (), None)
        fields = tuple(entry.shown.fields.items())
        if blind:
            return ShownItem(item, fields, True, (), None)
        picked = batch_item(entry.row, entry.shown, entry.note)
        reason = reason_in_words(picked)
        return ShownItem(item, fields, False, picked.proposal, reason, picked.proposed)

    def _fields(self, item: int) -> Fields:
        return tuple(self._workspace.pool.shown([item])[0].fields.items())

    # -- answers in ---------------------------------------------------------------------------

    async def record(self, person: Person, answers: Sequence[Answer]) -> list[Receipt]:
        """Store answers in their order, and return once they are safe."""
        return await self._store(person, answers, adjudicates=False)

    async def adjudicate(self, person: Person, answers: Sequence[Answer]) -> list[Receipt]:
        """Store what settles disagreements, or takes that back."""
        return await self._store(person, answers, adjudicates=True)

    async def _store(
        self, person: Person, answers: Sequence[Answer], *, adjudicates: bool
    ) -> list[Receipt]:
        rows, receipts = self._recorder.rows(person.name, answers, adjudicates=adjudicates)
        if rows:
            await self._writer.run(partial(self._append, rows=rows))
            self._state.assignments.note(self._claims.left_by(rows))
        return receipts

    def _append(self, session: Session, rows: Sequence[DecisionRow]) -> None:
        append_decisions(self._workspace, session, rows)
        self._claims.decide(session, rows)

    def past(self, person: Person, before: str | None, count: int) -> list[PastAnswer]:
        """List a reviewer's latest answers before the one of key `before`, newest first."""
        said = [
            each
            for each in self._state.ledger.by_reviewer.get(person.name, ())
            if each.key is not None and each.kind not in ADJUDICATIONS
        ]
        keys = [each.key for each in said]
        end = keys.index(before) if before in keys else len(said)
        earlier = (each for each in reversed(said[:end]) if self._state.has_text(each.item))
        return [
            PastAnswer(key=str(each.key), shown=self._shown_again(each))
            for each in islice(earlier, count)
        ]

    def _shown_again(self, said: StandingDecision) -> ShownItem:
        claim = self._state.assignments.claim(said.item, said.reviewer)
        shown = self._shown(said.item, claim is None or claim.blind)
        return replace(shown, act=said.action, said=said.value, comment=said.comment)

    # -- disagreements and progress -----------------------------------------------------------

    def disputes(self) -> list[Dispute]:
        """List the items on which reviewers disagree and that nobody settled."""
        return [
            Dispute(
                item=item,
                fields=self._fields(item),
                opinions=tuple(
                    Opinion(said.reviewer, said.told, said.value, said.comment)
                    for said in self._state.ledger.latest(item).values()
                ),
            )
            for item in sorted(self._state.board.disputed)
        ]

    def doubt_of_skill(self) -> str:
        """Say whose skill is too little known to settle by it; empty where nobody's is."""
        ledger = self._state.ledger
        said = {
            item: {name: each.value for name, each in ledger.latest(item).items() if each.value}
            for item in ledger.by_item
        }
        return doubt_of_skill(little_known(said))

    async def settle(self, method: Method) -> int:
        """Settle every disagreement that a rule can, and return how many."""
        settled = await asyncio.to_thread(
            lambda: settle_disputes(self._read(), self._workspace.database, method)
        )
        await self._state.follow()
        return len(settled)

    def standing(self, person: Person) -> ReviewProgress:
        """Say how far the work is."""
        refill = self._refill
        return self._state.board.standing(person.name, refill.state, busy=refill.busy)

    async def summary(self, person: Person) -> WorkSummary:
        """Say what a reviewer did, and what comes next; for when they have nothing in hand."""
        step = await self._ahead.step()
        then = None if step is None else in_words(step)
        if then is not None and not person.adjudicator:
            then = then.only_told()
        return self._state.board.summary(person.name, live=self._refill.live, then=then)

    def begin_next(self) -> None:
        """Begin what comes next, unless that has begun."""
        self._refill.begin()

    def _waiting(self) -> list[int]:
        """List the items that somebody is still to be asked about."""
        assignments = self._state.assignments
        return [item for item in assignments.entries if item not in assignments.complete]

    def _left(self) -> int:
        assignments = self._state.assignments
        return len(assignments.entries) - len(assignments.complete)
