"""Where the work of a workspace stands, in memory, kept up with the database."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable

from hilt.pipeline.reviewing.desk.assignments import Assignments
from hilt.pipeline.reviewing.desk.claims import read_claims
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog
from hilt.pipeline.reviewing.desk.progress_board import ProgressBoard
from hilt.pipeline.reviewing.reviewers import Reviewer, read_reviewers
from hilt.pipeline.workspace.audit_slice import read_copies
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles

STALE_SECONDS = 1.0  # how old news from other processes may be


class LiveState:
    """What was decided, what is asked about, and by whom.

    Args:
        files: Of which workspace.
        database: Where its state stands.
    """

    def __init__(self, files: WorkspaceFiles, database: Database) -> None:
        self._files = files
        self._database = database
        self._batches: list[int] = []
        self._fresh_until = 0.0
        self._empty = frozenset(files.pool.empty.tolist())
        self.people: dict[str, Reviewer] = {}
        self.ledger = DecisionLog()
        self.assignments = Assignments(self.ledger, files.config.review, files.config.seed)
        self.board = ProgressBoard(self.ledger, self.assignments, self.has_text)

    def has_text(self, item: int) -> bool:
        """Tell whether there is anything in an item that a person could be asked about."""
        return item not in self._empty

    async def start(self) -> None:
        """Read everything once."""
        self.board.watch(await asyncio.to_thread(self._database.batch_items))
        self.board.weigh(read_copies(await asyncio.to_thread(self._database.batch_selectors)))
        await self.refresh()
        with self._database.reading() as session:
            self.assignments.note(read_claims(session))

    async def refresh(self) -> None:
        """Learn what other processes did: decisions, batches, reviewers."""
        if time.monotonic() < self._fresh_until:
            return
        self._fresh_until = math.inf  # whoever comes meanwhile does not read it all as well
        try:
            await self._look()
        finally:
            self._fresh_until = time.monotonic() + STALE_SECONDS

    async def _look(self) -> None:
        people = await asyncio.to_thread(read_reviewers, self._database)
        self.people = {each.name: each for each in people}
        self.assignments.alone = len(people) <= 1
        await self.follow()
        numbers = await asyncio.to_thread(self._database.open_batches)
        if self._batches and self._batches[:1] != numbers[:1]:
            self.assignments.clear()  # a new batch, and the undecided items back in the pool
            self._batches = []
        for number in numbers[len(self._batches) :]:
            stored = await asyncio.to_thread(self._database.batch_items, number)
            if any(row.item_index >= len(self._files.pool) for row in stored):
                self._files.reopen_pool()
                self._empty = frozenset(self._files.pool.empty.tolist())
            rows = [row for row in stored if self.has_text(row.item_index)]
            indices = [row.item_index for row in rows]
            shown = await asyncio.to_thread(self._files.pool.shown, indices)
            picked = await asyncio.to_thread(self._database.batch_selector, number)
            self.assignments.add(rows, shown, picked.get("note", ""))
            self.board.watch(rows)
            self.board.weigh(read_copies([picked]))
            self._batches.append(number)

    async def follow(self) -> None:
        """Take in the decisions that are new in the database."""
        rows = await asyncio.to_thread(self._database.decisions, self.ledger.last)
        self.update(self.ledger.apply(rows))

    def update(self, items: Iterable[int]) -> None:
        """Look again at items on which something was said."""
        items = list(items)
        self.assignments.update(items)
        self.board.update(items)
