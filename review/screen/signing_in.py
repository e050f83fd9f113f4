"""Signing in by a token, the one way in: by the form, and by an address with a token in it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from fastapi import Request

from hilt.review.screen.protocol import Person
from hilt.review.screen.sessions import Sessions

MAX_TOKEN_LENGTH = 200
FREE = 5  # wrong tokens in a window that are answered at once
WINDOW_SECONDS = 60.0
STEP_SECONDS = 0.5
MAX_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SlowDown:
    """Makes wrong tokens from one address wait for their answer, longer with each.

    It never refuses anybody. All users of a machine have one address, as have all behind a proxy;
    if wrong tokens locked an address out, anybody could lock out everybody. That no token can be
    guessed is due to its length.
    """

    failures: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def note(self, address: str, now: float) -> float:
        """Count a wrong token, and say how many seconds its answer has to wait."""
        for known in [*self.failures]:
            times = self.failures[known]
            while times and times[0] <= now - WINDOW_SECONDS:
                times.popleft()
            if not times:
                del self.failures[known]
        times = self.failures[address]
        times.append(now)
        if len(times) > FREE + MAX_SECONDS / STEP_SECONDS:
            times.popleft()  # more than is needed for the longest wait
        return min(MAX_SECONDS, STEP_SECONDS * max(0, len(times) - FREE))


async def admit(request: Request, given: str) -> Person | None:
    """Find whose token it is; where it is nobody's, the answer may take a while.

    Args:
        request: Where it came from.
        given: The token; somebody may have copied the whole address.
    """
    sessions: Sessions = request.app.state.sessions
    token = given.strip()[:MAX_TOKEN_LENGTH].rpartition("?token=")[2]
    person = sessions.admit(token)
    if person is None:
        slow_down: SlowDown = request.app.state.slow_down
        address = request.client.host if request.client else ""
        await asyncio.sleep(slow_down.note(address, time.monotonic()))
    return person
