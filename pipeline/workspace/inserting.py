"""Rows into tables so that those already there are let be or written over, by either database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hilt.pipeline.workspace.tables import DecisionRow, Table

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(session: Session, table: type[Table]) -> Any:  # noqa: ANN401 - one of two dialects
    """Begin a statement to which `on_conflict_...` can be added."""
    return _INSERTS[session.get_bind().dialect.name](table)


def insert_decisions(session: Session, rows: Sequence[DecisionRow]) -> None:
    """Insert decisions in their order, but for those whose key is there already."""
    names = [column.key for column in DecisionRow.__table__.columns if column.key != "id"]
    values = [{name: getattr(row, name) for name in names} for row in rows]
    if values:
        session.execute(
            insert(session, DecisionRow).on_conflict_do_nothing(index_elements=["key"]), values
        )
