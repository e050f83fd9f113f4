"""One writer for many reviewers: what waits is written in one transaction, then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from hilt.pipeline.workspace.database import Database

T = TypeVar("T")
Operation = Callable[[Session], Any]


@dataclass(frozen=True, slots=True)
class _Waiting:
    operation: Operation
    done: asyncio.Future[Any]


class GroupCommit:
    """Commits every operation that waits at once: a disk is slow in commits, not in rows.

    Args:
        store: Where to write.
        committed: Awaited after every transaction, before anything in it is acknowledged.
    """

    def __init__(self, store: Database, committed: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._committed = committed
        self._waiting: list[_Waiting] = []
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write what still waits, and end."""
        if self._task is not None:
            task, self._task = self._task, None
            self._awake.set()
            await task

    async def run(self, operation: Callable[[Session], T]) -> T:
        """Run an operation inside a transaction, and return once that is on disk."""
        waiting = _Waiting(operation, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._awake.set()
        result: T = await waiting.done
        return result

    async def _write(self) -> None:
        while self._task is not None or self._waiting:
            await self._awake.wait()
            self._awake.clear()
            group, self._waiting = self._waiting, []
            if group:
                outcomes = await self._commit(group)
                for waiting, outcome in zip(group, outcomes, strict=True):
                    if waiting.done.cancelled():
                        continue
                    if isinstance(outcome, Exception):
                        waiting.done.set_exception(outcome)
                    else:
                        waiting.done.set_result(outcome)

    async def _commit(self, group: Sequence[_Waiting]) -> list[Any]:
        """Commit a group; when that fails, each on its own, so that one harms no other."""
        operations = [waiting.operation for waiting in group]
        try:
            outcomes = await asyncio.to_thread(self._run_all, operations)
            await self._committed()
            return outcomes
        except Exception as error:
            if len(group) == 1:
                return [error]
            return [outcome for each in group for outcome in await self._commit([each])]

    def _run_all(self, operations: Sequence[Operation]) -> list[Any]:
        with self._store.writing() as session:
            return [operation(session) for operation in operations]
