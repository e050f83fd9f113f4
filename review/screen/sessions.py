"""Sessions without a table: cookies and CSRF tokens that the workspace's secret seals."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from hilt.review.screen.protocol import Desk, Person

SESSION_SECONDS = 30 * 24 * 3600


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
