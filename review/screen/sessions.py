"""Sessions without a table: cookies and CSRF tokens that the workspace's secret seals."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from hilt.review.screen.desk import Desk, Person

SESSION_SECONDS = 30 * 24 * 3600
FAILURES = 5  # failed logins that an address has free in a window
ALL_FAILURES = 50  # and all addresses together
WINDOW_SECONDS = 60.0


def new_token() -> str:
    """Make a token that nobody can guess."""
    return secrets.token_urlsafe(32)


def same(given: str, wanted: str) -> bool:
    """Compare a secret with what a stranger sent, whatever characters are in it.

    The time that it takes does not tell how much of it was right.
    """
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


@dataclass(frozen=True, slots=True)
class Sessions:
    """Seals and opens sessions; one ends with its time, and with its reviewer's token.

    Attributes:
        desk: Knows the reviewers.
        token: Opens a session for whoever started the server, while there are no reviewers.
    """

    desk: Desk
    token: str

    @property
    def cookie_name(self) -> str:
        """The cookie's name; a browser sends it to every port, so workspaces must differ."""
        return f"hilt-{self.desk.task.workspace}"

    def admit(self, token: str) -> Person | None:
        """Find whose token it is: a reviewer's, or the one in the address of this server."""
        local = self.desk.local()
        if local is not None and same(token, self.token):
            return local
        return self.desk.admit(token)

    def cookie(self, person: Person) -> str:
        """Seal a session of a person."""
        name = base64.urlsafe_b64encode(person.name.encode()).decode()
        content = f"{name}.{int(time.time()) + SESSION_SECONDS}"
        return f"{content}.{self._seal(content, person.seal)}"

    def person(self, cookie: str | None) -> Person | None:
        """Open a session; None when there is none, or it has ended."""
        content, _, seal = (cookie or "").rpartition(".")
        name, _, expires = content.partition(".")
        try:
            person = self.desk.person(base64.urlsafe_b64decode(name).decode())
            ended = int(expires) < time.time()
        except (binascii.Error, ValueError):
            return None
        if person is None or ended:
            return None
        return person if same(seal, self._seal(content, person.seal)) else None

    def csrf(self, cookie: str) -> str:
        """Make the token that only a page of this session can know."""
        return self._seal(cookie, "csrf")

    def csrf_fits(self, cookie: str, token: str) -> bool:
        """Tell whether a request comes from a page of this session."""
        return same(token, self.csrf(cookie))

    def _seal(self, content: str, purpose: str) -> str:
        message = f"{purpose}|{content}".encode()
        return hmac.new(self.desk.secret, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class LoginLimit:
    """Slows down whoever guesses tokens."""

    failures: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def wait_seconds(self, address: str, now: float) -> float:
        """Say how long an address has to wait until it may try again; 0 when it may."""
        return max(
            self._wait(self.failures[address], FAILURES, now),
            self._wait(self.failures["*"], ALL_FAILURES, now),
        )

    def note_failure(self, address: str, now: float) -> None:
        """Count a failed login."""
        if len(self.failures) > 10 * ALL_FAILURES:
            self.failures.clear()
        self.failures[address].append(now)
        self.failures["*"].append(now)

    def _wait(self, times: deque[float], free: int, now: float) -> float:
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times[-free] + WINDOW_SECONDS - now if len(times) >= free else 0.0
