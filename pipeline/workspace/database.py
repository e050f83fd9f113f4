"""The state of a workspace: batches, decisions and trainings, in one relational database."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.batch_items import last_chain
from hilt.pipeline.workspace.connection import (
    DAMAGED,
    PUT_BACK,
    check_pages,
    faults_of,
    is_gone,
    open_engine,
    read_url,
    shown,
)
from hilt.pipeline.workspace.tables import (
    SCHEMA_VERSION,
    BatchItemRow,
    BatchRow,
    DecisionRow,
    ProjectRow,
    Table,
    TrainingRow,
)
from hilt.pipeline.workspace.upgrades import upgrade
from hilt.types import Action, Value

History = tuple[
    tuple[DecisionRow, ...],
    tuple[BatchRow, ...],
    tuple[BatchItemRow, ...],
    tuple[TrainingRow, ...],
]
MAX_NAMED = 1000  # items that a query names one by one; a database refuses too many
# How a transaction keeps other writers out; the number of PostgreSQL's lock is hilt's own.
_EXCLUSIVE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(4718)"}


class Database:
    """Reads and appends; nothing that is written is ever changed.

    Args:
        url: An SQLAlchemy URL; a path means SQLite.

    Raises:
        ConfigError: If it is no URL of a database that hilt uses.
        WorkspaceError: From every method, if the database is locked, damaged, out of reach, ...
    """

    def __init__(self, url: str | Path) -> None:
        self.url = read_url(url)
        self._engine = open_engine(self.url)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def create(
        self,
        pool_fingerprint: str,
        labels: Sequence[str],
        *,
        task: str = "single",
        medium: str = "text",
    ) -> None:
        """Make the tables, unless they are there for the same pool, labels, task and medium.

        Raises:
            WorkspaceError: If they are there for others.
        """
        with faults_of(self.url):
            Table.metadata.create_all(self._engine)
        with self.reading() as session, session.begin():
            row = session.scalars(select(ProjectRow)).first()
            if row is None:
                session.add(
                    ProjectRow(
                        schema_version=SCHEMA_VERSION,
                        pool_fingerprint=pool_fingerprint,
                        labels=list(labels),
                        created_at=datetime.now(UTC),
                        task=task,
                        medium=medium,
                    )
                )
                return
        self.check([pool_fingerprint], labels, task=task, medium=medium)

    def check(
        self,
        pool_fingerprints: Sequence[str],
        labels: Sequence[str],
        *,
        task: str = "single",
        medium: str = "text",
    ) -> None:
        """Make sure that the state belongs to this pool, and to these labels, task and medium.

        The tables of an older hilt get what they lack.

        Args:
            pool_fingerprints: That of the pool, and those that it had before it grew.
            labels: Their names.
            task: The kind of the task.
            medium: The kind of the medium.

        Raises:
            WorkspaceError: If it does not, or a newer hilt wrote it.
        """
        row = self._project()
        if row.schema_version > SCHEMA_VERSION:
            raise WorkspaceError(
                f"{shown(self.url)} was written by a newer hilt (schema {row.schema_version}, this"
                f" one supports {SCHEMA_VERSION}); upgrade hilt."
            )
        if row.pool_fingerprint not in pool_fingerprints:
            raise WorkspaceError("The pool is not the one for which this workspace was made.")
        if row.labels != list(labels):
            raise WorkspaceError(
                "The labels in the configuration are not those for which this workspace was made"
                f" ({', '.join(row.labels)}); restore them. Then write the decisions with"
                " `hilt export WORK FILE --decisions` and import them into a new workspace"
                " with other labels."
            )
        if row.schema_version < SCHEMA_VERSION:
            with faults_of(self.url):
                upgrade(self._engine, row.schema_version)
        self._check_kinds(task=task, medium=medium)

    def _check_kinds(self, **wanted: str) -> None:
        """Make sure that task and medium are those for which the workspace was made."""
        with self.reading() as session:
            found = session.execute(select(ProjectRow.task, ProjectRow.medium)).one()
        for name, kind in wanted.items():
            made_for = getattr(found, name)
            if kind != made_for:
                raise WorkspaceError(
                    f"The {name} in the configuration is {kind!r}, but this workspace was made for"
                    f" {made_for!r}; restore it, or make a new workspace."
                )

    def pool_fingerprint(self) -> str:
        """Read for which pool the state was made, before any item was appended."""
        return self._project().pool_fingerprint

    def _project(self) -> ProjectRow:
        """Read what was fixed when the workspace was made, if the database is whole."""
        if is_gone(self.url):
            raise WorkspaceError(f"{shown(self.url)} is gone; {PUT_BACK}.")
        with self.reading() as session:
            check_pages(self._engine)
            if not inspect(self._engine).has_table("project"):
                raise WorkspaceError(f"{shown(self.url)} contains no state of hilt; {PUT_BACK}.")
            rows = list(session.scalars(select(ProjectRow)))
        if len(rows) != 1 or rows[0].schema_version not in range(1, sys.maxsize):
            raise WorkspaceError(
                f"{shown(self.url)} does not say to which workspace it belongs; {DAMAGED}."
            )
        return rows[0]

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that no other writer shares, in any process.

        So what is read in it stays true until it ends, and the numbers of decisions are given in
        the order in which they can be seen: who follows `decisions(after=...)` misses none.
        """
        session = Session(self._engine, expire_on_commit=False)  # so that what is stored is known
        with faults_of(self.url), session, session.begin():
            session.execute(text(_EXCLUSIVE[self._engine.dialect.name]))
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to read with."""
        with faults_of(self.url), Session(self._engine) as session:
            yield session

    def history(self) -> History:
        """Read everything that was appended; decisions first, so that their batches are there."""
        in_batch = BatchItemRow.batch, BatchItemRow.rank
        with self.reading() as session:
            return (
                tuple(session.scalars(select(DecisionRow).order_by(DecisionRow.id))),
                tuple(session.scalars(select(BatchRow).order_by(BatchRow.number))),
                tuple(session.scalars(select(BatchItemRow).order_by(*in_batch))),
                tuple(session.scalars(select(TrainingRow).order_by(TrainingRow.cycle))),
            )

    # -- batches ------------------------------------------------------------------------------

    def add_batch(
        self,
        cycle: int,
        selector: dict[str, Any],
        items: Iterable[BatchItemRow],
        *,
        extends: int | None = None,
    ) -> BatchRow:
        """Append a batch with its items, and return it with its number."""
        with self.writing() as session:
            number = (session.scalar(select(func.max(BatchRow.number))) or 0) + 1
            row = BatchRow(
                number=number,
                cycle=cycle,
                selector=selector,
                created_at=datetime.now(UTC),
                extends=extends,
            )
            session.add(row)
            session.flush()
            for item in items:
                item.batch = number
                session.add(item)
        return row

    def batch_numbers(self) -> list[int]:
        """List the batches, oldest first."""
        with self.reading() as session:
            return list(session.scalars(select(BatchRow.number).order_by(BatchRow.number)))

    def batch_selector(self, number: int) -> dict[str, Any]:
        """Read what picked a batch: the section of the configuration, and its `note`."""
        with self.reading() as session:
            return dict(session.get_one(BatchRow, number).selector)

    def batch_selectors(self) -> list[dict[str, Any]]:
        """Read what picked each batch, oldest first."""
        with self.reading() as session:
            return list(session.scalars(select(BatchRow.selector).order_by(BatchRow.number)))

    def open_batches(self) -> list[int]:
        """List the last batch and those that it extends, oldest first."""
        with self.reading() as session:
            return last_chain(session.scalars(select(BatchRow)))

    def batch_items(self, number: int | None = None) -> list[BatchItemRow]:
        """Read the items of one batch, or of all, in order."""
        query = select(BatchItemRow).order_by(BatchItemRow.batch, BatchItemRow.rank)
        if number is not None:
            query = query.where(BatchItemRow.batch == number)
        with self.reading() as session:
            return list(session.scalars(query))

    # -- decisions ----------------------------------------------------------------------------

    def add_decisions(self, rows: Iterable[DecisionRow]) -> list[DecisionRow]:
        """Append decisions that say something new, and return those.

        A decision equal to the same reviewer's latest on that item, for the same batch, adds
        nothing, so that reading a file twice does no harm. What is said when a later batch asks
        again is new even where it is the same.
        """
        rows = list(rows)
        items = {row.item_index for row in rows}
        query = select(DecisionRow).order_by(DecisionRow.id)
        if len(items) <= MAX_NAMED:
            query = query.where(DecisionRow.item_index.in_(items))
        with self.writing() as session:
            latest = {_asked(row): _said(row) for row in session.scalars(query)}
            fresh = []
            for row in rows:
                key = _asked(row)
                if latest.get(key) != _said(row):
                    latest[key] = _said(row)
                    fresh.append(row)
            session.add_all(fresh)
        return fresh

    def decisions(self, after: int = 0) -> list[DecisionRow]:
        """Read decisions in the order in which they were made."""
        with self.reading() as session:
            query = select(DecisionRow).where(DecisionRow.id > after).order_by(DecisionRow.id)
            return list(session.scalars(query))

    def last_decision(self) -> int:
        """Return the number of the newest decision, 0 when there is none."""
        with self.reading() as session:
            return session.scalar(select(func.max(DecisionRow.id))) or 0

    # -- trainings ----------------------------------------------------------------------------

    def add_training(self, row: TrainingRow) -> None:
        """Append a training."""
        with self.writing() as session:
            session.add(row)

    def trainings(self) -> list[TrainingRow]:
        """Read the trainings, oldest first."""
        with self.reading() as session:
            return list(session.scalars(select(TrainingRow).order_by(TrainingRow.cycle)))


def _asked(row: DecisionRow) -> tuple[int, str, int | None]:
    return row.item_index, row.reviewer, row.batch


def _said(row: DecisionRow) -> tuple[Action | str, Value, str]:
    return row.action, row.value, row.comment
