"""Who sends a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request

from hilt.review.screen.desk import Person
from hilt.review.screen.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with or without a session.

    Attributes:
        person: Who it is; None without a session that holds.
        cookie: The session as it was sent, "" when it does not hold.
    """

    person: Person | None
    cookie: str


async def current_visitor(request: Request) -> Visitor:
    """Find who sends a request."""
    await request.app.state.desk.refresh()
    sessions: Sessions = request.app.state.sessions
    cookie = request.cookies.get(sessions.cookie_name, "")
    person = sessions.person(cookie)
    return Visitor(person, cookie if person is not None else "")


async def current_person(
    request: Request,
    visitor: Annotated[Visitor, Depends(current_visitor)],
    x_csrf_token: Annotated[str | None, Header()] = None,
) -> Person:
    """Find who sends a request of a page's script, or refuse it.

    Raises:
        HTTPException: If there is no session, or the request is not from one of its pages.
    """
    if visitor.person is None:
        raise HTTPException(401, "Sign in first.")
    sessions: Sessions = request.app.state.sessions
    if not sessions.csrf_fits(visitor.cookie, x_csrf_token):
        raise HTTPException(403, "That did not come from a page of this session.")
    return visitor.person
