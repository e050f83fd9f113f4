"""Who sends a request, as the gate found out."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException, Request

from hilt.review.screen.protocol import Person


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with or without a session.

    Attributes:
        person: Who it is; None without a session that holds.
        cookie: The session as it was sent, "" when it does not hold.
    """

    person: Person | None
    cookie: str


NOBODY = Visitor(None, "")


async def current_person(request: Request) -> Person:
    """Give who sends a request; behind the gate there always is somebody.

    Raises:
        HTTPException: If there is nobody all the same.
    """
    visitor: Visitor = getattr(request.state, "visitor", NOBODY)
    if visitor.person is None:
        raise HTTPException(401, "Sign in first.")
    return visitor.person
