"""What a database says of itself, in sentences; on real SQLite files."""

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL

from hilt.errors import ConfigError, MissingExtraError, WorkspaceError
from hilt.pipeline.workspace.connection import open_engine, read_url
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.tables import BatchItemRow, TrainingRow
from hilt.values import candidates_from_json
from tests.conftest import summary_of

LABELS = ["sport", "world"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a batch and a training."""
    path = tmp_path / "state.db"
    store = Database(path)
    store.create("pool", LABELS)
    items = [
        BatchItemRow(
            rank=rank, item_index=rank, item_id=f"i{rank}", reason="random", score=0.5, blind=True,
            proposal=candidates_from_json([["sport", 0.5]] * 30),
        )
        for rank in range(400)
    ]  # fmt: skip
    store.add_batch(0, {"kind": "random"}, items)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    store.add_training(
        TrainingRow(cycle=1, fingerprint="x", last_decision=0, summary=summary_of(), created_at=now)
    )
    store.close()
    return path


def read_all(path: Path) -> None:
    store = Database(path)
    try:
        store.check(["pool"], LABELS)
        store.batch_items()
        store.trainings()
        store.decisions()
    finally:
        store.close()


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        connection = sqlite3.connect(path)
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (trigger,) in connection.execute(names).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return run


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def cut_at_a_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 4])


def a_page_overwritten(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:8192] + bytes(range(256)) * 96 + data[8192 + 4096 * 6 :])


DAMAGE = {
    "cut": (cut, "malformed"),
    "cut at a page": (cut_at_a_page, "malformed"),
    "a page": (a_page_overwritten, "cannot be used"),
    "garbage": (lambda path: path.write_bytes(bytes(range(256)) * 40), "not a database"),
    "emptied": (lambda path: path.write_bytes(b""), "contains no state of hilt"),
    "gone": (lambda path: path.unlink(), "is gone"),
    "no project": (sql("DELETE FROM project"), "does not say to which workspace"),
    "two projects": (
        sql(
            "INSERT INTO project SELECT 99, pool_fingerprint, labels, created_at, task, medium"
            " FROM project"
        ),
        "does not say to which workspace",
    ),
    "schema 0": (sql("UPDATE project SET schema_version = 0"), "does not say to which workspace"),
    "schema in words": (sql("DROP TABLE project", "CREATE TABLE project(x)"), "no such column"),
    "no table": (sql("DROP TABLE decision"), "no such table: decision"),
    "a value": (sql("UPDATE batch_item SET proposal = '{nope' WHERE rank = 3"), "Expecting"),
    "a moment": (sql("UPDATE training SET created_at = 'yesterday'"), "'yesterday' is no moment"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_database_is_named_with_what_to_do(path: Path, name: str) -> None:
    damage, message = DAMAGE[name]
    for log in path.parent.glob("state.db-*"):
        log.unlink()
    damage(path)

    with pytest.raises(WorkspaceError, match=message) as caught:
        read_all(path)

    said = str(caught.value)
    assert said.startswith(f"{path} ")
    assert "restore a copy of it, or make a new workspace and import" in said
    assert "\n" not in said
    assert path.exists() == (name != "gone")


def test_a_locked_database_can_be_read_and_says_who_writes(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = Database(path)
    with store.reading() as session:
        session.connection().exec_driver_sql("PRAGMA busy_timeout=10")
        assert len(store.batch_items()) == 400

    with pytest.raises(WorkspaceError, match="is locked; another program is writing to it"):
        add_a_batch(store)

    other.execute("ROLLBACK")
    other.close()
    assert add_a_batch(store) == 2
    store.close()


def add_a_batch(store: Database) -> int:
    return store.add_batch(0, {}, []).number


def test_a_database_in_a_closed_folder_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)

    read_all(path)
    assert [each.name for each in path.parent.iterdir()] == ["state.db"]
    with pytest.raises(
        WorkspaceError, match="readonly database; it can be read but not written here"
    ):
        add_a_batch(Database(path))


def test_what_another_process_has_just_written_is_read_in_a_closed_folder(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Database(path)
    assert add_a_batch(writer) == 2  # stands in the log, for the writer is still there
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)

    reader = Database(path)

    assert reader.batch_numbers() == [1, 2]
    reader.close()
    writer.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "'nonsense' cannot be read"),
        ("foodb://x", "has the kind 'foodb'"),
        ("mysql://x", "has the kind 'mysql'"),
        ("sqlite://", "disappears when a command ends"),
        ("sqlite:///:memory:", "disappears when a command ends"),
        ("postgresql://nobody@127.0.0.1:port/x", "the URL cannot be read: .*'port'"),
        ("postgresql://nobody:s3cret@127.0.0.1:port/x", "the URL cannot be read: .*'port'"),
    ],
)
def test_a_url_that_is_none_is_refused_with_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_url(url)

    assert "allowed: sqlite:///FILE.db, postgresql://USER@HOST/NAME" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"the driver 'postgresql\+foo'"):
        open_engine(read_url("postgresql+foo://x"))
    with pytest.raises(MissingExtraError, match="'pg8000'"):
        open_engine(URL.create("postgresql+pg8000"))
