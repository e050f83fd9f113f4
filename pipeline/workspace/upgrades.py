"""How the tables of an older hilt get what they lack."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Table, text, update

from hilt.pipeline.workspace.tables import (
    SCHEMA_VERSION,
    ClaimRow,
    ProjectRow,
    ReviewerRow,
    refuse_changes,
)
from hilt.types import DecisionKind

# The statements that lead to a version from the one before; `NEW_TABLES` are made beside them.
STATEMENTS = {
    2: ("ALTER TABLE decision ADD COLUMN machine BOOLEAN DEFAULT FALSE NOT NULL",),
    3: (
        "ALTER TABLE decision ADD COLUMN key TEXT",
        "ALTER TABLE decision ADD COLUMN withdraws TEXT",
        "CREATE UNIQUE INDEX decision_key ON decision (key)",
        "ALTER TABLE batch ADD COLUMN extends INTEGER",
    ),
    4: ("ALTER TABLE batch_item ADD COLUMN why JSON",),
    # `machine` stays in older tables, and is no longer read: not every SQLite drops a column.
    5: ("ALTER TABLE decision ADD COLUMN kind TEXT DEFAULT 'review' NOT NULL",),
    6: (
        "ALTER TABLE decision ADD COLUMN shown JSON",
        "ALTER TABLE batch_item ADD COLUMN answer JSON",
        "ALTER TABLE project ADD COLUMN task TEXT DEFAULT 'single' NOT NULL",
        "ALTER TABLE project ADD COLUMN medium TEXT DEFAULT 'text' NOT NULL",
    ),
}
NEW_TABLES = {3: (ClaimRow.__table__, ReviewerRow.__table__)}


def upgrade(engine: Engine, version: int) -> None:
    """Bring tables of `version` up to date; of several processes that try, one does it."""
    for wanted in range(version + 1, SCHEMA_VERSION + 1):
        with engine.begin() as connection:
            old = update(ProjectRow).where(ProjectRow.schema_version == wanted - 1)
            if connection.execute(old.values(schema_version=wanted)).rowcount:
                _take_step(connection, wanted)


def kind_before(source: str, reviewer: str, *, machine: bool) -> DecisionKind:
    """Say what a decision is that was stored before version 5, when its source and names told."""
    if machine:
        return "machine"
    if source == "adjudication":
        return "rule" if reviewer.startswith("resolved:") else "adjudication"
    kinds: tuple[DecisionKind, ...] = ("gold", "bulk", "check", "simulated")
    return next((kind for kind in kinds if kind == source), "review")


def _take_step(connection: Connection, version: int) -> None:
    for table in NEW_TABLES.get(version, ()):
        assert isinstance(table, Table)
        table.create(connection)
    for statement in STATEMENTS[version]:
        connection.execute(text(statement))
    if version == 5:
        _fill_kinds(connection)


def _fill_kinds(connection: Connection) -> None:
    """Say of every decision what it is: the one time that a table takes a change."""
    dialect = connection.dialect.name
    on_table = " ON decision" if dialect == "postgresql" else ""
    connection.execute(text(f"DROP TRIGGER IF EXISTS decision_no_update{on_table}"))
    told = connection.execute(text("SELECT DISTINCT source, reviewer, machine FROM decision")).all()
    for source, reviewer, machine in told:
        kind = kind_before(source, reviewer, machine=machine)
        if kind != "review":
            connection.execute(
                text(
                    "UPDATE decision SET kind = :kind"
                    " WHERE source = :source AND reviewer = :reviewer AND machine = :machine"
                ),
                {"kind": kind, "source": source, "reviewer": reviewer, "machine": machine},
            )
    for statement in refuse_changes(dialect, "decision", "update"):
        connection.exec_driver_sql(statement)
