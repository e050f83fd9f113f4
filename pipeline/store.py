"""The state of a workspace: batches, decisions and trainings, in one relational database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from hilt.errors import WorkspaceError
from hilt.pipeline.tables import (
    SCHEMA_VERSION,
    BatchItemRow,
    BatchRow,
    DecisionRow,
    ProjectRow,
    Table,
    TrainingRow,
)
from hilt.types import Action, Decision

MOST_NAMED = 1000  # items that a query names one by one; a database refuses too many


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item's decisions amount to.

    Attributes:
        label: The resolved label, or None when it was skipped or flagged.
        audit: Whether a person who gave that label gave it blind, in an audit slice.
        reviewers: Who gave that label.
        machine: Whether only proposers decided, and no person; nothing is measured by such a label.
        blind: Whether a person who gave that label gave it without sight of the proposal.
        decision: The number of the first decision that gave it; 0 where there is no label.
    """

    index: int
    item_id: str
    label: str | None
    audit: bool
    reviewers: tuple[str, ...]
    machine: bool = False
    blind: bool = False
    decision: int = 0

    @property
    def by_people(self) -> bool:
        """Whether there is a label, and people gave it."""
        return self.label is not None and not self.machine


class Store:
    """Reads and appends; nothing that is written is ever changed.

    Args:
        url: An SQLAlchemy URL; a path means SQLite.
    """

    def __init__(self, url: str | Path) -> None:
        is_path = isinstance(url, Path)
        self.url = URL.create("sqlite", database=str(url)) if is_path else make_url(str(url))
        self._engine = _engine(self.url)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def create(self, pool_fingerprint: str, labels: Sequence[str]) -> None:
        """Make the tables, unless they are there for the same pool and labels.

        Raises:
            WorkspaceError: If they are there for others.
        """
        Table.metadata.create_all(self._engine)
        with Session(self._engine) as session, session.begin():
            row = session.scalars(select(ProjectRow)).first()
            if row is None:
                session.add(
                    ProjectRow(
                        schema_version=SCHEMA_VERSION,
                        pool_fingerprint=pool_fingerprint,
                        labels=list(labels),
                        created_at=datetime.now(UTC),
                    )
                )
                return
        self.check(pool_fingerprint, labels)

    def check(self, pool_fingerprint: str, labels: Sequence[str]) -> None:
        """Make sure that the state belongs to this pool and these labels.

        The tables of an older hilt get what they lack.

        Raises:
            WorkspaceError: If it does not, or a newer hilt wrote it.
        """
        with Session(self._engine) as session:
            if not inspect(self._engine).has_table("project"):
                raise WorkspaceError(f"{self.url} holds no hilt state; run `hilt init` again.")
            row = session.scalars(select(ProjectRow)).one()
        if row.schema_version > SCHEMA_VERSION:
            raise WorkspaceError(
                f"{self.url} was written by a newer hilt (schema {row.schema_version}, this one"
                f" knows {SCHEMA_VERSION}); upgrade hilt."
            )
        if row.pool_fingerprint != pool_fingerprint:
            raise WorkspaceError("The pool is not the one this workspace was made for.")
        if row.labels != list(labels):
            raise WorkspaceError(
                "The labels in the configuration are not those this workspace was made for"
                f" ({', '.join(row.labels)}); put them back, or make a new workspace."
            )
        if row.schema_version < SCHEMA_VERSION:
            self._upgrade()

    def _upgrade(self) -> None:
        """Turn schema 1 into 2; of several processes that try, the first to update does it."""
        with self._engine.begin() as connection:
            old = update(ProjectRow).where(ProjectRow.schema_version == 1)
            if connection.execute(old.values(schema_version=2)).rowcount:
                column = "machine BOOLEAN DEFAULT FALSE NOT NULL"
                connection.execute(text(f"ALTER TABLE decision ADD COLUMN {column}"))

    # -- batches ------------------------------------------------------------------------------

    def add_batch(self, cycle: int, selector: dict[str, Any], items: Iterable[BatchItemRow]) -> int:
        """Append a batch with its items, and return its number."""
        with Session(self._engine) as session, session.begin():
            number = (session.scalar(select(func.max(BatchRow.number))) or 0) + 1
            session.add(
                BatchRow(
                    number=number, cycle=cycle, selector=selector, created_at=datetime.now(UTC)
                )
            )
            session.flush()
            for item in items:
                item.batch = number
                session.add(item)
        return number

    def batch_numbers(self) -> list[int]:
        """List the batches, oldest first."""
        with Session(self._engine) as session:
            return list(session.scalars(select(BatchRow.number).order_by(BatchRow.number)))

    def batch_items(self, number: int | None = None) -> list[BatchItemRow]:
        """Read the items of one batch, or of all, in order."""
        query = select(BatchItemRow).order_by(BatchItemRow.batch, BatchItemRow.rank)
        if number is not None:
            query = query.where(BatchItemRow.batch == number)
        with Session(self._engine) as session:
            return list(session.scalars(query))

    # -- decisions ----------------------------------------------------------------------------

    def add_decisions(self, rows: Iterable[DecisionRow]) -> int:
        """Append decisions that say something new, and return how many did.

        A decision equal to the same reviewer's latest on that item adds nothing, so that
        reading a file twice does no harm.
        """
        rows = list(rows)
        items = {row.item_index for row in rows}
        query = select(DecisionRow).order_by(DecisionRow.id)
        if len(items) <= MOST_NAMED:
            query = query.where(DecisionRow.item_index.in_(items))
        with Session(self._engine) as session, session.begin():
            latest = {(row.item_index, row.reviewer): _said(row) for row in session.scalars(query)}
            fresh = []
            for row in rows:
                key = (row.item_index, row.reviewer)
                if latest.get(key) != _said(row):
                    latest[key] = _said(row)
                    fresh.append(row)
            session.add_all(fresh)
        return len(fresh)

    def decisions(self, after: int = 0) -> list[DecisionRow]:
        """Read decisions in the order in which they were made."""
        with Session(self._engine) as session:
            query = select(DecisionRow).where(DecisionRow.id > after).order_by(DecisionRow.id)
            return list(session.scalars(query))

    def last_decision(self) -> int:
        """Return the number of the newest decision, 0 when there is none."""
        with Session(self._engine) as session:
            return session.scalar(select(func.max(DecisionRow.id))) or 0

    def outcomes(self) -> list[Outcome]:
        """Resolve every item's decisions, in the order of the pool.

        Once a person has decided an item, only people's decisions count. Of each reviewer the
        latest does. Among those that give a label the majority wins, and of equals the latest.
        """
        by_item: dict[int, list[DecisionRow]] = defaultdict(list)
        for row in self.decisions():
            by_item[row.item_index].append(row)
        return [_resolve(by_item[index]) for index in sorted(by_item)]

    # -- trainings ----------------------------------------------------------------------------

    def add_training(self, row: TrainingRow) -> None:
        """Append a training."""
        with Session(self._engine) as session, session.begin():
            session.add(row)

    def trainings(self) -> list[TrainingRow]:
        """Read the trainings, oldest first."""
        with Session(self._engine) as session:
            return list(session.scalars(select(TrainingRow).order_by(TrainingRow.cycle)))


def decision_row(decision: Decision, index: int, shown: BatchItemRow | None) -> DecisionRow:
    """Turn a decision into a row, with what the reviewer was shown; a machine is shown nothing."""
    seen = None if decision.machine else shown
    visible = seen is not None and not seen.blind and bool(seen.proposal)
    label, probability = seen.proposal[0] if seen is not None and visible else (None, None)
    return DecisionRow(
        item_index=index,
        item_id=decision.item_id,
        action=decision.action,
        labels=list(decision.labels),
        reviewer=decision.reviewer,
        batch=None if shown is None else shown.batch,
        blind=seen is not None and seen.blind,
        audit=seen is not None and seen.blind and seen.reason == "audit",
        shown_label=label,
        shown_probability=probability,
        seconds=decision.seconds,
        comment=decision.comment,
        source=decision.source,
        decided_at=decision.decided_at or datetime.now(UTC),
        machine=decision.machine,
    )


def _said(row: DecisionRow) -> tuple[Action | str, tuple[str, ...], str]:
    return row.action, tuple(row.labels), row.comment


def _resolve(rows: Sequence[DecisionRow]) -> Outcome:
    people = [row for row in rows if not row.machine]
    latest = {row.reviewer: row for row in people or rows}  # dictionaries keep the last value
    given = sorted((row for row in latest.values() if row.action == "label"), key=lambda r: r.id)
    label = None
    if given:
        counts = Counter(row.labels[0] for row in given)
        most = max(counts.values())
        label = [row.labels[0] for row in given if counts[row.labels[0]] == most][-1]
    winners = [row for row in given if row.labels[0] == label]
    return Outcome(
        index=rows[0].item_index,
        item_id=rows[0].item_id,
        label=label,
        audit=any(row.audit for row in winners),
        reviewers=tuple(sorted(row.reviewer for row in winners)),
        machine=not people,
        blind=any(row.blind for row in winners),
        decision=min((row.id for row in winners), default=0),
    )


def _engine(url: URL) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI value
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
