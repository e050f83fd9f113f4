"""Chunks handed out to the workers of a Ray cluster, and again where a worker is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from hilt.errors import HiltError, RunnerError
from hilt.own_code import shortened
from hilt.pipeline.runners.base import Chunk, Sink
from hilt.types import Floats

AHEAD = 2  # chunks that a worker has at a time, so that it never waits for the next
HELD = 4  # chunks per worker that are in memory, those that wait for an earlier one included
PATIENCE_SECONDS = 300.0  # to wait for a worker while there is none
LOOK_SECONDS = 5.0

Ref = Any  # Ray's promise of a value


@dataclass(order=True)
class Pending:
    """A chunk that is to be done, with its place among all and how often it was lost."""

    place: int
    chunk: Chunk = field(compare=False)
    losses: int = field(default=0, compare=False)


@dataclass(eq=False)
class Hired:
    """A worker of the pool, which first greets, then opens the work, then does chunks."""

    actor: Any
    host: str = ""
    is_open: bool = False
    has: dict[Ref, Pending] = field(default_factory=dict)


@dataclass(frozen=True)
class Staff:
    """How to get workers, and what they must be.

    Attributes:
        start: Asks the cluster for a worker, and gives Ray's handle of it.
        work: Ray's reference to the work.
        identity: What the work must be on every node.
        size: How many workers there are at most.
        retries: How often a chunk that was lost with its worker is given to another.
    """

    start: Callable[[], Any]
    work: Ref
    identity: Mapping[str, str]
    size: int
    retries: int


class Pool:
    """Workers that do the same work on chunk after chunk.

    Ray's own retries are off: they restart a worker, and what was on its way is lost all the same.

    Args:
        ray: The module, connected.
        staff: How to get workers.
    """

    def __init__(self, ray: Any, staff: Staff) -> None:  # noqa: ANN401 - a module without types
        self._ray, self._staff = ray, staff
        self._workers: list[Hired] = []
        self._expected: dict[Ref, Hired] = {}  # what was asked of whom
        self._waiting: list[Pending] = []  # a heap
        self._done: dict[int, tuple[int, Floats]] = {}  # by place: where the rows start, the rows
        self._hosts: set[str] = set()  # on which a worker has started
        self._lost_in_a_row = 0
        self._alone_since = time.monotonic()

    def run(self, chunks: Iterator[Chunk], sink: Sink) -> None:
        """Do all chunks, and hand over their rows in their order.

        Raises:
            HiltError: If the work does.
            RunnerError: If no worker starts, or chunks are lost again and again.
        """
        places, turn = count(), 0
        try:
            while self._take_in(chunks, places):
                self._hand_out()
                self._receive()
                while turn in self._done:
                    sink(*self._done.pop(turn))
                    turn += 1
        finally:
            for worker in self._workers:
                self._ray.kill(worker.actor)

    def _take_in(self, chunks: Iterator[Chunk], places: Iterator[int]) -> bool:
        """Read chunks while there is room for them, and tell whether any is still to be done."""
        under_way = sum(len(worker.has) for worker in self._workers)
        room = HELD * self._staff.size - len(self._waiting) - under_way - len(self._done)
        for _ in range(room):
            chunk = next(chunks, None)
            if chunk is None:
                break
            heappush(self._waiting, Pending(next(places), chunk))
        return bool(self._waiting or under_way or self._done)

    def _hand_out(self) -> None:
        """Ask for the workers that are missing, and give those that are there what is next."""
        while len(self._workers) < self._staff.size:
            worker = Hired(self._staff.start())
            self._workers.append(worker)
            self._expected[worker.actor.greet.remote()] = worker
        while self._waiting and (ready := [each for each in self._workers if each.is_open]):
            worker = min(ready, key=lambda each: len(each.has))
            if len(worker.has) >= AHEAD:
                break
            pending = heappop(self._waiting)
            ref = worker.actor.rows.remote(pending.chunk)
            worker.has[ref] = pending
            self._expected[ref] = worker

    def _receive(self) -> None:
        """Wait until something happens, or for a while."""
        arrived, _ = self._ray.wait(list(self._expected), timeout=LOOK_SECONDS)
        for ref in arrived:
            worker = self._expected.pop(ref)
            try:
                value = self._ray.get(ref)
            except self._ray.exceptions.RayTaskError as error:
                raise _as_here(error, worker.host) from error
            except self._ray.exceptions.RayError as error:
                self._give_up(worker, error)
            else:
                self._note(worker, ref, value)
        if any(worker.host for worker in self._workers):
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > PATIENCE_SECONDS:
            raise RunnerError(
                f"No worker has started on the Ray cluster for {PATIENCE_SECONDS:g} seconds;"
                " `ray status` shows what its nodes have to spare. Lower runner.threads or"
                " runner.gpus, or add nodes."
            )

    def _note(self, worker: Hired, ref: Ref, value: Any) -> None:  # noqa: ANN401 - three kinds
        """Take what a worker answered: its greeting, what it opened, or the rows of a chunk."""
        if ref in worker.has:
            pending = worker.has.pop(ref)
            self._done[pending.place] = (pending.chunk.start, value)
            self._lost_in_a_row = 0
        elif not worker.host:
            worker.host = value
            self._hosts.add(value)
            self._expected[worker.actor.open.remote(self._staff.work)] = worker
        else:
            _compare(self._staff.identity, value, worker.host)
            worker.is_open = True

    def _give_up(self, worker: Hired, error: Exception) -> None:
        """Do without a worker that is lost; what it had is for others.

        Raises:
            RunnerError: If that happens too often.
        """
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        self._expected = {ref: each for ref, each in self._expected.items() if each is not worker}
        self._lost_in_a_row += 1
        for pending in worker.has.values():
            pending.losses += 1
            heappush(self._waiting, pending)
        worst = max((pending.losses for pending in self._waiting), default=0)
        if max(worst, self._lost_in_a_row - self._staff.size) > self._staff.retries:
            raise RunnerError(f"{self._why_lost}: {shortened(str(error))}") from error

    @property
    def _why_lost(self) -> str:
        if not self._hosts:
            return (
                "No worker can start on the Ray cluster; every node needs the same token, Python"
                " and packages as this machine, and RAY_AUTH_MODE=token before `ray start`"
            )
        return (
            "Workers on the Ray cluster are lost again and again, and with them the same items; if"
            " they need more memory than there is, lower runner.workers, or raise runner.threads"
        )


def _compare(here: Mapping[str, str], there: Mapping[str, str], host: str) -> None:
    """Make sure that a node has the same model.

    Raises:
        RunnerError: If it has not.
    """
    for name in sorted({*here, *there}):
        if here.get(name) != there.get(name):
            raise RunnerError(
                f"The node {host} has another model: its {name} is {there.get(name)!r} there, and"
                f" {here.get(name)!r} here. Install the same files on every node, and name the"
                " precision in the configuration."
            )


def _as_here(error: Any, host: str) -> Exception:  # noqa: ANN401 - Ray has no types
    """Turn what the work raised on a node into what it would have raised here."""
    if isinstance(error.cause, HiltError):
        return type(error.cause)(f"On the node {host}: {error.cause}")
    raised: Exception = error.cause if isinstance(error.cause, Exception) else error
    return raised
