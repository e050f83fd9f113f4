import os
import signal
import sqlite3
import time
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from hilt.errors import ConfigError, DataError, WorkspaceError
from hilt.files import write_json
from hilt.pipeline.workspace import init as init_module
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.lock import lock
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from tests.forks import BEFORE_A_FILE, BEFORE_A_STATEMENT, forked

POOL = "id,text,topic\n1,a goal,sport\n2,a vote,world\n3,a war,world\n"
CONFIG = """
pool: {path: pool.csv, id: id, label: topic}
test: {path: test.csv, id: id, label: topic}
labels: [sport, world]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pool.csv").write_text(POOL)
    (tmp_path / "test.csv").write_text(POOL)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


def contents(folder: Path) -> dict[str, float]:
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".lock")
    }


def test_a_workspace_holds_its_pool_test_set_state_and_configuration(
    tmp_path: Path, config: Path
) -> None:
    workspace = init(tmp_path / "work", config)

    assert workspace.pool.ids(slice(None)) == ["1", "2", "3"]
    assert workspace.test is not None
    assert workspace.database.batch_numbers() == []
    workspace.database.close()
    assert workspace.config.pool.path == str(tmp_path / "pool.csv")
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [
        *(".lock", ".lock-holder", "hilt.yaml", "pool", "state.db", "test")
    ]


def test_a_workspace_needs_neither_a_test_set_nor_the_files_it_was_made_of(
    tmp_path: Path, config: Path
) -> None:
    config.write_text("pool: {path: pool.csv}\nlabels: [sport, world]\n")
    init(tmp_path / "work", config)
    (tmp_path / "pool.csv").unlink()
    config.unlink()

    workspace = open_workspace(tmp_path / "work")

    assert len(workspace.pool) == 3
    assert workspace.test is None


def test_doing_it_again_changes_nothing(tmp_path: Path, config: Path) -> None:
    first = init(tmp_path / "work", config)
    before = contents(tmp_path / "work")

    again = init(tmp_path / "work", config)

    assert again.config == first.config
    assert contents(tmp_path / "work") == before


def test_labels_that_look_like_other_values_stay_as_they_were_written(
    tmp_path: Path, config: Path
) -> None:
    config.write_text("pool: {path: pool.csv}\nlabels: [no, 1, 1e3, ~, '007', 'ä: b', '#x']\n")
    init(tmp_path / "work", config)

    again = init(tmp_path / "work", config)

    assert again.config.label_names == ("no", "1", "1e3", "~", "007", "ä: b", "#x")


def test_an_empty_folder_may_be_there_already(tmp_path: Path, config: Path) -> None:
    (tmp_path / "work").mkdir()

    assert len(init(tmp_path / "work", config).pool) == 3


def test_another_configuration_is_refused(tmp_path: Path, config: Path) -> None:
    init(tmp_path / "work", config)
    config.write_text(CONFIG + "seed: 3\n")

    with pytest.raises(WorkspaceError, match="already is a workspace, with another configuration"):
        init(tmp_path / "work", config)


def test_another_configuration_is_refused_when_its_workspace_was_made_meanwhile(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CONFIG + "seed: 3\n")
    turns = iter([other])

    def late_lock(folder: Path) -> AbstractContextManager[None]:
        for turn in turns:
            init(folder, turn)
        return lock(folder)

    monkeypatch.setattr(init_module, "lock", late_lock)

    with pytest.raises(WorkspaceError, match="with another configuration"):
        init(tmp_path / "work", config)


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "pool", "state.db"])
def test_a_folder_that_holds_other_files_is_refused_and_left_alone(
    tmp_path: Path, config: Path, name: str
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text("mine")

    with pytest.raises(WorkspaceError, match="contains other files"):
        init(tmp_path / "work", config)

    assert [path.name for path in (tmp_path / "work").iterdir()] == [name]


def test_a_workspace_that_lost_its_configuration_is_never_cleared(
    tmp_path: Path, config: Path
) -> None:
    init(tmp_path / "work", config)
    (tmp_path / "work" / "hilt.yaml").unlink()
    before = contents(tmp_path / "work")

    with pytest.raises(WorkspaceError, match="contains other files"):
        init(tmp_path / "work", config)

    assert contents(tmp_path / "work") == before


@pytest.mark.parametrize("name", [".hilt-init-notes", ".hilt-init-0123456789abcdef"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_what_only_looks_like_a_killed_init_is_left_alone(
    tmp_path: Path, config: Path, name: str, is_folder: bool
) -> None:
    (tmp_path / "work").mkdir()
    mine = tmp_path / "work" / name
    if is_folder:
        mine.mkdir()
        mine /= "precious.txt"
    mine.write_text("years of work")

    with pytest.raises(WorkspaceError, match="contains other files"):
        init(tmp_path / "work", config)

    assert mine.read_text() == "years of work"


def test_a_file_is_no_folder(tmp_path: Path, config: Path) -> None:
    with pytest.raises(WorkspaceError, match="contains other files"):
        init(config, config)


@pytest.mark.parametrize("name", ["pool.csv", "test.csv"])
def test_a_source_that_cannot_be_used_leaves_no_folder_behind(
    tmp_path: Path, config: Path, name: str
) -> None:
    (tmp_path / name).write_text(POOL + "4,a film,arts\n")

    with pytest.raises(DataError, match=f"{name}, line 5"):
        init(tmp_path / "work", config)

    assert not (tmp_path / "work").exists()


def test_a_folder_without_a_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is not a hilt workspace; make one with `hilt init"):
        open_workspace(tmp_path)


def test_an_edit_counts_from_the_next_command_on(tmp_path: Path, config: Path) -> None:
    path = init(tmp_path / "work", config).folder / "hilt.yaml"
    path.write_text(path.read_text() + "batch: {size: 7}\ndevice: cpu\n")

    workspace = open_workspace(tmp_path / "work")

    assert (workspace.config.batch.size, workspace.device) == (7, "cpu")
    assert open_workspace(tmp_path / "work", device="cuda").device == "cuda"


def test_an_edit_that_is_wrong_is_refused_with_its_line(tmp_path: Path, config: Path) -> None:
    path = init(tmp_path / "work", config).folder / "hilt.yaml"
    text = path.read_text() + "batch:\n  size: many\n"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        open_workspace(tmp_path / "work")

    assert f"hilt.yaml, line {len(text.splitlines())}: " in str(caught.value)


def test_labels_that_were_edited_are_refused(tmp_path: Path, config: Path) -> None:
    path = init(tmp_path / "work", config).folder / "hilt.yaml"
    path.write_text(path.read_text().replace("sport", "sports"))

    with pytest.raises(WorkspaceError, match=r"made \(sport, world\); restore them"):
        _ = open_workspace(tmp_path / "work").database


def test_what_is_missing_says_which_command_makes_it(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)

    with pytest.raises(WorkspaceError, match="has no proposals yet; run `hilt propose"):
        workspace.required(workspace.fused, "propose")


def test_what_is_there_is_given(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)
    (workspace.folder / "proposals").mkdir()
    np.save(workspace.proposal("rules").path, np.ones((3, 2)))
    write_json(workspace.proposal("rules").maker_path, {})

    file = workspace.required(workspace.proposal("rules"), "propose")

    assert file.path == workspace.folder / "proposals" / "rules.npy"


# Locks

HOLD = """
import sys, time
from hilt.pipeline.workspace.workspace import open_workspace
with open_workspace(sys.argv[1]).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_at_once_who_is_writing(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)
    with forked(HOLD, workspace.folder) as holder:
        assert holder.stdout.readline() == "locked\n"
        started = time.monotonic()

        with (
            pytest.raises(WorkspaceError, match=rf"another command \(process {holder.pid}, since"),
            workspace.locked(),
        ):
            pass

        assert time.monotonic() - started < 1


def test_the_lock_of_a_killed_process_is_free_again(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)
    with forked(HOLD, workspace.folder) as holder:
        holder.stdout.readline()
        holder.kill()
        holder.wait()

        with workspace.locked():
            pass


LOCK = """
import sys
from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.workspace import open_workspace
try:
    with open_workspace(sys.argv[1]).locked():
        print("free")
except WorkspaceError:
    print("taken")
"""


def another_process_finds(workspace: Workspace) -> str:
    with forked(LOCK, workspace.folder) as other:
        return other.stdout.read().strip()


def test_one_process_may_lock_again_within(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)

    with workspace.locked():
        with workspace.locked():
            pass
        within = another_process_finds(workspace)

    assert (within, another_process_finds(workspace)) == ("taken", "free")


def test_a_lock_is_the_same_however_its_folder_is_spelled(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = init(tmp_path / "work", config)
    monkeypatch.chdir(tmp_path)

    with workspace.locked(), open_workspace("work").locked():
        assert another_process_finds(workspace) == "taken"


def test_a_lock_is_free_after_an_error(tmp_path: Path, config: Path) -> None:
    workspace = init(tmp_path / "work", config)

    with pytest.raises(ZeroDivisionError), workspace.locked():
        _ = 1 / 0

    assert another_process_finds(workspace) == "free"


# Kills


def count_triggers(workspace: Workspace) -> int:
    connection = sqlite3.connect(workspace.folder / "state.db")
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    connection.close()
    return len(names)


INIT = "from hilt.pipeline.workspace.init import init\ninit(sys.argv[1], sys.argv[3])\n"


@pytest.mark.parametrize("step", [0, 2, 4, 8, 14, 18, 22, 24, 25, 26, 27, 28])
def test_an_init_that_is_killed_can_be_run_again(tmp_path: Path, config: Path, step: int) -> None:
    with forked(BEFORE_A_FILE + INIT, tmp_path / "work", step, config) as killed:
        assert killed.wait(timeout=60) == -signal.SIGKILL

    workspace = init(tmp_path / "work", config)

    assert len(workspace.pool) == 3
    assert workspace.database.batch_numbers() == []
    assert not list(workspace.folder.rglob("*.partial"))
    assert not list(workspace.folder.rglob("*.tmp"))
    assert not list(workspace.folder.glob(".hilt-*"))
    assert count_triggers(workspace) == 8


@pytest.mark.parametrize("statement", [0, 2, 3, 8, 13])
def test_a_kill_while_the_state_is_made_costs_no_trigger(
    tmp_path: Path, config: Path, statement: int
) -> None:
    with forked(BEFORE_A_STATEMENT + INIT, tmp_path / "work", statement, config) as killed:
        assert killed.wait(timeout=60) == -signal.SIGKILL

    workspace = init(tmp_path / "work", config)

    assert count_triggers(workspace) == 8


def test_a_killed_init_may_be_followed_by_one_with_another_configuration(
    tmp_path: Path, config: Path
) -> None:
    with forked(BEFORE_A_FILE + INIT, tmp_path / "work", 22, config) as killed:
        assert killed.wait(timeout=60) == -signal.SIGKILL
    config.write_text("pool: {path: pool.csv}\nlabels: [x, y, z]\n")

    workspace = init(tmp_path / "work", config)

    assert workspace.test is None
    assert workspace.database.batch_numbers() == []


@pytest.mark.parametrize("name", ["w" * 300, "w" * 5000])
def test_a_name_that_no_folder_can_have_is_a_sentence(tmp_path: Path, name: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("pool: {path: pool.csv}\nlabels: [a, b]\n")

    for use in (open_workspace, lambda folder: init(folder, config)):
        with pytest.raises(WorkspaceError, match="the name is too long") as caught:
            use(tmp_path / name)
        assert len(str(caught.value)) < 500


def test_a_path_that_is_not_utf_8_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")

    with pytest.raises(WorkspaceError, match="is not UTF-8, which the path of a workspace must be"):
        init(folder, tmp_path / "c.yaml")

    assert not folder.exists()
