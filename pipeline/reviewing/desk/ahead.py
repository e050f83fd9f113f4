"""What comes after the items that are asked about now, as the terminal would say it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog
from hilt.review.screen.protocol import Next

if TYPE_CHECKING:
    from hilt.pipeline.reviewing.next_steps import NextStep

KNOWN_SECONDS = 10.0  # how old an answer may be, for other processes train and propose too


class Ahead:
    """Asks what comes next, and remembers it for a while: a page that waits asks all the time.

    Args:
        read: Reads the state as it is now.
        ledger: What was decided; a new decision may change what comes next.
        waiting: Lists the items that people have in hand, or are still to be asked about.
    """

    def __init__(
        self,
        read: Callable[[], LoopState],
        ledger: DecisionLog,
        waiting: Callable[[], Collection[int]],
    ) -> None:
        self._read = read
        self._ledger = ledger
        self._waiting = waiting
        self._known: tuple[int, float, NextStep | None] | None = None
        self._lock = asyncio.Lock()

    async def step(self) -> NextStep | None:
        """Say what comes next; None where nothing does until people decide what they have."""
        async with self._lock:  # whoever comes meanwhile waits for the same answer
            last, now = self._ledger.last, time.monotonic()
            if self._known is None or self._known[0] != last or self._known[1] < now:
                step = await asyncio.to_thread(_find, self._read, self._waiting())
                self._known = last, time.monotonic() + KNOWN_SECONDS, step
            return self._known[2]

    def forget(self) -> None:
        """Ask again the next time: something else than a decision has changed."""
        self._known = None


def _find(read: Callable[[], LoopState], waiting: Collection[int]) -> NextStep | None:
    from hilt.pipeline.reviewing.next_steps import (  # loads models, so not before
        next_step,
        step_beside,
    )

    if waiting:
        return step_beside(read(), waiting)
    step = next_step(read())
    return None if step.words[0] == "review" and not step.finished else step


def in_words(step: NextStep) -> Next:
    """Describe a step to the screen."""
    command, name = str(step), step.words[0]
    if name == "review":  # that is where they are
        return Next(step.why)
    if step.finished:
        return Next(step.why, command, "comes next.")
    if name == "propose":
        does = "is the next step; after it, hilt can pick a batch."
        why = step.why or "There are no proposals yet."
        return Next(why, command, does, "Do that now")
    if not step.makes_batch:
        return Next(step.why, command, "trains it on the last labels.", "Train on them now")
    does = "makes the next batch, which then appears here."
    does = f"learns from the decisions and {does}" if name == "cycle" else does
    return Next(step.why, command, does, "Make the next batch", makes_batch=True)
