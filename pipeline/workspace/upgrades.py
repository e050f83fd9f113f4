"""How the tables of an older hilt get what they lack."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Table, text, update

from hilt.pipeline.workspace.tables import SCHEMA_VERSION, ClaimRow, ProjectRow, ReviewerRow

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
}
NEW_TABLES = {3: (ClaimRow.__table__, ReviewerRow.__table__)}


def upgrade(engine: Engine, version: int) -> None:
    """Bring tables of `version` up to date; of several processes that try, one does it."""
    for wanted in range(version + 1, SCHEMA_VERSION + 1):
        with engine.begin() as connection:
            old = update(ProjectRow).where(ProjectRow.schema_version == wanted - 1)
            if connection.execute(old.values(schema_version=wanted)).rowcount:
                _take_step(connection, wanted)


def _take_step(connection: Connection, version: int) -> None:
    for table in NEW_TABLES.get(version, ()):
        assert isinstance(table, Table)
        table.create(connection)
    for statement in STATEMENTS[version]:
        connection.execute(text(statement))
