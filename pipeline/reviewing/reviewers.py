"""Who may use the review screen: a name and a token each."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select

from hilt.errors import DataError, UnknownNameError
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.gate import name_misfit
from hilt.pipeline.workspace.tables import ReviewerRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.registry import nearest
from hilt.review.base import GOLD

LOCAL = "reviewer"  # the name of whoever sits at the machine, before anybody was added
_NAME = re.compile(r"[^\W_][\w .@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who may use the review screen.

    Attributes:
        adjudicator: Whether they may settle what others disagree on.
        token_hash: SHA-256 of the token, which itself is kept nowhere.
    """

    name: str
    adjudicator: bool
    added_at: datetime
    token_hash: str


def add_reviewer(workspace: Workspace, name: str, *, adjudicator: bool = False) -> str:
    """Add a reviewer, or give one a new token; the old one ends, with every session.

    Returns:
        The token. It cannot be read again later.

    Raises:
        DataError: If the name cannot be a person's.
    """
    if name_misfit(name) is not None or not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} cannot be the name of a reviewer; use up to 64 letters, digits, spaces or"
            f" any of . @ + - _, beginning with a letter or a digit, and not {GOLD!r}."
        )
    token = secrets.token_urlsafe(24)
    row = ReviewerRow(
        name=name,
        token_hash=hash_token(token),
        adjudicator=adjudicator,
        created_at=datetime.now(UTC),
    )
    with workspace.database.writing() as session:
        session.merge(row)
    return token


def reviewers(workspace: Workspace) -> list[Reviewer]:
    """List the reviewers by name."""
    return read_reviewers(workspace.database)


def read_reviewers(database: Database) -> list[Reviewer]:
    """Read the reviewers, by name."""
    with database.reading() as session:
        rows = session.scalars(select(ReviewerRow).order_by(ReviewerRow.name))
        return [Reviewer(row.name, row.adjudicator, row.created_at, row.token_hash) for row in rows]


def remove_reviewer(workspace: Workspace, name: str) -> None:
    """Remove a reviewer's access; their decisions stay.

    Raises:
        UnknownNameError: If there is none of that name.
    """
    names = [reviewer.name for reviewer in reviewers(workspace)]
    if name not in names:
        raise UnknownNameError(
            f"There is no reviewer {name!r}.{nearest(name, names)}"
            f" Reviewers: {', '.join(names) or 'none yet'}."
        )
    with workspace.database.writing() as session:
        session.execute(delete(ReviewerRow).where(ReviewerRow.name == name))


def hash_token(token: str) -> str:
    """Hash a token; it is random and long, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
