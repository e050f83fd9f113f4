"""The tables of the state database. Rows are only ever added, but for claims and reviewers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, JSON, ForeignKey, Index, Text, UniqueConstraint, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hilt.pipeline.workspace.column_types import (
    CandidatesJson,
    SummaryJson,
    UtcDateTime,
    ValueJson,
)
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.types import Candidate, DecisionKind, Part, Value

SCHEMA_VERSION = 6  # what each version brought stands in `upgrades.py`


class Table(DeclarativeBase):
    """Root of all tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
        datetime: UtcDateTime,
        TrainingSummary: SummaryJson,
    }


class ProjectRow(Table):
    """What was fixed when the workspace was made; exactly one row.

    Attributes:
        task: The kind of the task; not there before version 6, so it is read by itself.
        medium: That of the medium, likewise.
    """

    __tablename__ = "project"

    schema_version: Mapped[int] = mapped_column(primary_key=True)
    pool_fingerprint: Mapped[str]
    labels: Mapped[list[str]]
    created_at: Mapped[datetime]
    task: Mapped[str] = mapped_column(deferred=True)
    medium: Mapped[str] = mapped_column(deferred=True)


class BatchRow(Table):
    """One selection.

    Attributes:
        extends: An earlier batch whose undecided items stay open beside this one's.
    """

    __tablename__ = "batch"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cycle: Mapped[int]
    selector: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    extends: Mapped[int | None]


class BatchItemRow(Table):
    """One item of a batch, with the proposal as it stood then.

    Attributes:
        answer: What the proposal comes to; None before version 6, when that was its first label.
    """

    __tablename__ = "batch_item"
    __table_args__ = (UniqueConstraint("batch", "item_index"),)

    batch: Mapped[int] = mapped_column(ForeignKey("batch.number"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    item_index: Mapped[int]
    item_id: Mapped[str]
    reason: Mapped[str]
    score: Mapped[float]
    blind: Mapped[bool]
    proposal: Mapped[tuple[Candidate, ...]] = mapped_column(CandidatesJson)
    why: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answer: Mapped[Value | None] = mapped_column(ValueJson)

    @property
    def proposed(self) -> Value | None:
        """The answer that is proposed, None where nothing is."""
        if self.answer is not None:
            return self.answer
        return (self.proposal[0].part,) if self.proposal else None


class DecisionRow(Table):
    """What one reviewer, a person or a proposer, said about one item, once.

    Attributes:
        value: The answer, empty where there is none; the column is called `labels`.
        shown: The answer that the reviewer saw; None where they saw none, or before version 6.
        shown_label: The label of it, where it is one label for the whole item.
        kind: What it is; see `hilt.types.Decision`.
        source: The way by which it came in: "file", "screen", "oracle", ...
        key: Made by whoever sent it, so that one sent twice is stored once.
        withdraws: The key of an earlier decision of the same reviewer that this one takes back;
            then `action` is "undo".
    """

    __tablename__ = "decision"
    __table_args__ = (Index("decision_key", "key", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_index: Mapped[int] = mapped_column(index=True)
    item_id: Mapped[str]
    action: Mapped[str]
    value: Mapped[Value] = mapped_column("labels", ValueJson, key="value")
    reviewer: Mapped[str]
    batch: Mapped[int | None] = mapped_column(ForeignKey("batch.number"))
    blind: Mapped[bool]
    audit: Mapped[bool]
    shown_label: Mapped[str | None]
    shown_probability: Mapped[float | None]
    seconds: Mapped[float | None]
    comment: Mapped[str]
    source: Mapped[str]
    decided_at: Mapped[datetime]
    key: Mapped[str | None]
    withdraws: Mapped[str | None]
    kind: Mapped[DecisionKind] = mapped_column(Text)
    shown: Mapped[Value | None] = mapped_column(ValueJson)

    @property
    def seen(self) -> Value | None:
        """The answer that the reviewer saw, None where they saw none."""
        if self.shown is not None or self.shown_label is None:
            return self.shown
        return (Part(self.shown_label),)


class ClaimRow(Table):
    """An item that a reviewer has in hand, so that nobody else is given it.

    Attributes:
        until: When it lapses, in seconds since 1970; None once the reviewer has decided the item.
        blind: Whether this reviewer is not to see the proposal.
    """

    __tablename__ = "claim"

    item_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reviewer: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[float | None]
    blind: Mapped[bool]


class ReviewerRow(Table):
    """Somebody who may use the review screen.

    Attributes:
        token_hash: SHA-256 of the token, in hexadecimal; the token itself is kept nowhere.
        adjudicator: Whether they may settle what others disagree on.
    """

    __tablename__ = "reviewer"

    name: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str]
    adjudicator: Mapped[bool]
    created_at: Mapped[datetime]


class TrainingRow(Table):
    """One training: the end of a cycle."""

    __tablename__ = "training"

    cycle: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str]
    last_decision: Mapped[int]
    summary: Mapped[TrainingSummary]
    created_at: Mapped[datetime]


# What refuses a change, by the database; PostgreSQL's triggers need a function.
_FUNCTION = """CREATE OR REPLACE FUNCTION hilt_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'this table is append-only'; END $$"""
_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'this table is append-only'); END",
    ),
    "postgresql": (
        _FUNCTION,
        "CREATE OR REPLACE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
        "EXECUTE FUNCTION hilt_append_only()",
    ),
}
DIALECTS = tuple(_TRIGGERS)


def refuse_changes(dialect: str, table: str, verb: str) -> list[str]:
    """Write the statements that let a database refuse to `update` or to `delete` rows."""
    return [statement.format(table=table, verb=verb) for statement in _TRIGGERS[dialect]]


def _append_only(name: str) -> None:
    table = Table.metadata.tables[name]
    for dialect in DIALECTS:
        for statement in (
            s for verb in ("update", "delete") for s in refuse_changes(dialect, name, verb)
        ):
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


for _name in ("batch", "batch_item", "decision", "training"):
    _append_only(_name)
