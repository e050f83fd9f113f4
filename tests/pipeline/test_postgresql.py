"""The same state on a real PostgreSQL server, from Debian's package."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

import hilt
from hilt.errors import WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.reviewers import add_reviewer
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.workspace import Workspace
from scripts.support.postgres_server import VERSIONS, postgres_server
from scripts.support.rehearsal import made_up_texts, rehearsal_workspace
from tests.pipeline.reviewing.desk.conftest import person, says

pytestmark = pytest.mark.skipif(
    not any(VERSIONS.glob("*/bin/initdb")), reason="needs Debian's postgresql"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="module")
def workspace(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("postgresql")
    workspace = rehearsal_workspace(folder, made_up_texts(40), database=url)
    for number in range(4):
        add_reviewer(workspace, f"p{number}")
    yield workspace
    workspace.database.close()


def test_two_desks_at_once_give_every_item_once_and_store_every_answer_once(
    workspace: Workspace,
) -> None:
    async def day() -> None:
        desks = WorkspaceDesk(workspace), WorkspaceDesk(workspace)
        for desk in desks:
            await desk.start()

        async def work(number: int) -> list[int]:
            desk = desks[number % 2]
            who = person(desk, f"p{number}")
            given = []
            while items := (await desk.serve(who, [], 5)).items:
                answers = [says(shown.item, by=who.name) for shown in items]
                for each in desks:  # the second time to the other process
                    await each.record(who, answers)
                given += [shown.item for shown in items]
            return given

        given = await asyncio.gather(*map(work, range(4)))
        for desk in desks:
            await desk.stop()
        assert sorted(item for items in given for item in items) == list(range(40))

    asyncio.run(day())

    assert sorted(row.item_index for row in workspace.database.decisions()) == list(range(40))


def test_what_is_written_cannot_be_changed(workspace: Workspace) -> None:
    engine = create_engine(workspace.database.url)
    for statement in ("UPDATE decision SET action = 'skip'", "DELETE FROM batch_item"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_every_command_finds_the_database(workspace: Workspace, url: str) -> None:
    assert workspace.config.database == url
    assert not (workspace.folder / "state.db").exists()
    assert len(LoopState.read(workspace).resolved) == 40


def test_a_server_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    store = Database("postgresql://nobody@127.0.0.1:1/hilt")

    with pytest.raises(WorkspaceError, match=r"cannot be used: .* start the server, or correct"):
        store.create("pool", ["a", "b"])
    store.close()


def test_all_decisions_go_into_a_file_and_into_another_database(
    workspace: Workspace, url: str, tmp_path: Path
) -> None:
    engine = create_engine(workspace.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE second"))
    engine.dispose()
    other = make_url(url).set(database="second").render_as_string(hide_password=False)
    config = workspace.config.model_copy(update={"database": other})
    new = replace(workspace, config=config)
    store = Database(other)
    store.create(workspace.pool.fingerprint, config.label_names)
    store.close()

    hilt.export_decisions(workspace, tmp_path / "all.jsonl")
    for added in (len(workspace.database.decisions()), 0):
        assert hilt.import_answers(new, tmp_path / "all.jsonl").added == added
    hilt.export_decisions(new, tmp_path / "again.jsonl")

    new.database.close()
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def test_tables_of_schema_4_get_what_they_lack(workspace: Workspace) -> None:
    engine = create_engine(workspace.database.url)
    before = [
        "ALTER TABLE decision ADD machine BOOLEAN DEFAULT FALSE NOT NULL",
        "ALTER TABLE decision DROP COLUMN kind",
        "ALTER TABLE decision DROP COLUMN shown",
        "ALTER TABLE batch_item DROP COLUMN answer",
        "ALTER TABLE project DROP COLUMN task",
        "ALTER TABLE project DROP COLUMN medium",
        "UPDATE project SET schema_version = 4",
        "ALTER TABLE decision DISABLE TRIGGER decision_no_update",
        "UPDATE decision SET source = 'bulk' WHERE item_index = 0",
        "UPDATE decision SET machine = TRUE WHERE item_index = 1",
        "ALTER TABLE decision ENABLE TRIGGER decision_no_update",
    ]
    with engine.begin() as connection:
        for statement in before:
            connection.execute(text(statement))

    work = hilt.open_workspace(workspace.folder)

    kinds = {row.item_index: row.kind for row in work.database.decisions()}
    work.database.close()
    assert (kinds[0], kinds[1], kinds[2]) == ("bulk", "machine", "review")
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE decision SET kind = 'review'"))
    engine.dispose()
