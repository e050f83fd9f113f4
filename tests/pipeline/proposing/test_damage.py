"""A workspace whose files are damaged: what reads says so, and one command mends it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from hilt.errors import OutputError
from hilt.files import read_object
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.training.headline import told_in_full
from hilt.pipeline.workspace.workspace import Workspace
from tests.conftest import write_csv

Open = Callable[[str], Workspace]
Damage = Callable[[Path], object]

ARRAYS = ("embeddings", "neighbours", "cosines", "near-duplicates", "fused", "proposals/student")
DAMAGE: dict[str, Damage] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "other values": lambda path: np.save(path, np.load(path)[::-1]),
    "gone": lambda path: path.unlink(),
}
SPOILT: dict[str, Damage] = {
    "emptied": lambda path: path.write_bytes(b""),
    "another's": lambda path: path.write_text('{"proposers": 3, "cycle": "x", "agreement": []}'),
}


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code in (0, 2), result.exception
    if result.exit_code == 2:
        assert len(result.stderr.strip().splitlines()) == 1
    return result


@pytest.fixture
def work(small_workspace: Open) -> Path:
    workspace = small_workspace("two_cycles")
    workspace.database.close()
    run("propose", workspace.folder)
    return workspace.folder


def arrays(work: Path) -> dict[str, bytes]:
    return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*.npy")}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_damaged_array_is_named_and_propose_makes_it_as_it_was(work: Path, name: str) -> None:
    path, before = work / f"{name}.npy", arrays(work)
    for damage in DAMAGE.values():
        damage(path)

        selected = run("select", work, "--new")
        proposed = run("propose", work)

        assert selected.exit_code == 0 or f"`hilt propose {work}`" in selected.stderr
        assert proposed.exit_code == 0
        said = selected.stderr + proposed.stderr  # what is cheap is made by whoever needs it
        assert f"{path.name} is " in said
        assert "it is made again" in said
        assert arrays(work) == before


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("name", [*ARRAYS, "test-embeddings", "proposals/zero_shot"])
def test_status_says_what_is_damaged_and_what_makes_it_again(work: Path, name: str) -> None:
    array, record = work / f"{name}.npy", work / f"{name}.json"
    damages = [(array, damage) for damage in (DAMAGE["cut"], DAMAGE["gone"], flip)]
    for path, damage in [(record, SPOILT["emptied"]), *damages]:
        content = path.read_bytes()
        damage(path)

        said = run("status", work).stdout

        assert f"{path} is " in said
        assert said.count("damaged") + said.count(" is gone") == 2
        assert said.endswith(f"1 file is damaged, and is made again.\nNext: hilt propose {work}\n")
        if damage is flip:
            told = json.loads(run("status", work, "--json").stdout)
            assert (told["duplicates"] is None) == (array.stem == "near-duplicates")
            reported = run("report", work)
            assert [each in said for each in told["damaged"]] == [True]
            assert reported.exit_code == 0 or f"`hilt propose {work}`" in reported.stderr
        path.write_bytes(content)
    assert "damaged" not in run("status", work).stdout


def test_status_of_an_appended_pool_goes_on_where_arrays_are_damaged(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("two_cycles")
    workspace.database.close()
    config = append_two(workspace, tmp_path)
    run("init", workspace.folder, "--append", "--config", config)
    for name in ("near-duplicates", "fused", "embeddings"):
        flip(workspace.folder / f"{name}.npy")

    said = run("status", workspace.folder).stdout

    assert said.count(".npy is damaged: ") == 3
    assert "3 files are damaged, and are made again.\nNext: hilt propose" in said
    run("propose", workspace.folder)
    assert "damaged" not in run("status", workspace.folder).stdout


def test_damage_is_mended_before_an_open_batch_is_reviewed(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    flip(workspace.embeddings.path)
    assert str(next_step(LoopState.read(workspace))) == f"hilt propose {workspace.folder}"

    run("propose", workspace.folder)

    assert str(next_step(LoopState.read(workspace))) == f"hilt review {workspace.folder}"


@pytest.mark.parametrize("name", ["embeddings", "fused", "proposals/zero_shot"])
def test_what_is_gone_altogether_is_made_next(work: Path, name: str) -> None:
    for ending in ("json", "npy"):
        (work / f"{name}.{ending}").unlink()

        assert run("status", work).stdout.endswith(f"\nNext: hilt propose {work}\n")

    assert run("propose", work).exit_code == 0
    assert f"Next: hilt propose {work}" not in run("status", work).stdout


def append_two(workspace: Workspace, folder: Path) -> Path:
    """Write a configuration of the same workspace whose pool has two rows more."""
    new = [("new-1", "One row more.", "food"), ("new-2", "Two rows more.", "food")]
    rows = zip(*workspace.pool.columns(slice(None)).values(), strict=True)
    write_csv(folder / "more.csv", [*((a, b, c) for a, b, c in rows), *new])
    values = yaml.safe_load((workspace.folder / "hilt.yaml").read_text("utf-8"))
    values["pool"]["path"] = str(folder / "more.csv")
    (folder / "more.yaml").write_text(yaml.safe_dump(values), "utf-8")
    return folder / "more.yaml"


def test_proposals_that_nobody_uses_any_more_may_be_damaged(work: Path) -> None:
    (work / "proposals" / "left.json").write_bytes(b"{")

    assert "damaged" not in run("status", work).stdout


def test_a_students_cross_validation_that_is_damaged_is_named_with_the_command(
    small_workspace: Open,
) -> None:
    workspace = small_workspace("two_cycles")
    workspace.database.close()
    work = workspace.folder
    path = work / "students" / "cycle-0002" / "out_of_fold.npz"
    sentence = f"{path} is damaged; train the student again with `hilt train {work}`."
    flip(path)

    assert sentence in run("status", work).stdout
    assert json.loads(run("status", work, "--json").stdout)["damaged"] == [sentence]
    assert sentence in run("report", work).stderr
    assert run("train", work).exit_code == 0
    assert "damaged" not in run("status", work).stdout
    assert run("report", work).exit_code == 0


def test_what_an_older_hilt_did_not_store_is_left_out_where_it_is_damaged(
    small_workspace: Open,
) -> None:
    workspace = small_workspace("trained")
    training = workspace.database.trainings()[-1]
    training.summary = replace(training.summary, labelled=None)
    labelled = told_in_full(LoopState.read(workspace), training).labelled
    assert labelled is not None
    assert labelled["items"] == 12

    flip(workspace.student_folder(1) / "out_of_fold.npz")

    assert told_in_full(LoopState.read(workspace), training).labelled is None


@pytest.mark.parametrize("name", ["embeddings", "fused"])
def test_no_batch_is_made_of_what_is_damaged(work: Path, name: str) -> None:
    DAMAGE["other values"](work / f"{name}.npy")

    assert run("select", work, "--new").exit_code == 2


@pytest.mark.parametrize(
    "name",
    [
        *(f"{name}.json" for name in ARRAYS),
        "guesses.json",
        "outputs.json",
        "proposals/student.summary.json",
    ],
)
def test_damaged_json_is_made_anew(work: Path, name: str) -> None:
    path, before = work / name, arrays(work)
    for spoil in SPOILT.values():
        if path.exists():
            spoil(path)

        run("select", work, "--new")

        assert run("propose", work).exit_code == 0
        assert arrays(work) == before
    assert run("status", work).exit_code == 0
    if name == "guesses.json":
        assert read_object(path) is not None


@pytest.mark.parametrize("name", ["student.json", "model.safetensors", "out_of_fold.npz", ""])
def test_a_student_that_is_lost_or_damaged_is_trained_again(work: Path, name: str) -> None:
    path = work / "students" / "cycle-0002" / name
    if name:
        path.write_bytes(b"x")
    else:
        shutil.rmtree(path)

    if name != "model.safetensors":  # which may be large, and is read where it is used
        line = f"train the student again with `hilt train {work}`."
        (said,) = json.loads(run("status", work, "--json").stdout)["damaged"]
        assert said.startswith(str(path))
        assert said.endswith(line)
    proposed = run("predict", work, work / "hilt.yaml", "-o", work.parent / "p.csv")
    assert f"train it again with `hilt train {work}`" in proposed.stderr
    assert run("train", work).exit_code == 0
    assert run("propose", work).exit_code == 0
    assert run("status", work).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_torn_secret_of_the_screen_is_made_anew(small_workspace: Open, content: bytes) -> None:
    workspace = small_workspace("selected")
    path = workspace.folder / ".review-secret"
    path.write_bytes(content)

    secret = WorkspaceDesk(workspace).secret

    assert len(secret) == 32
    assert path.read_bytes() == secret
    assert path.stat().st_mode & 0o077 == 0


def test_a_disk_that_fills_up_under_a_writing_command_is_a_sentence(small_workspace: Open) -> None:
    workspace = small_workspace("ready")

    with (
        pytest.raises(OutputError, match="No space left on device; free space"),
        workspace.locked(),
    ):
        Path("/dev/full").write_text("x")


def test_what_is_released_is_as_readable_as_the_umask_says(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    out = workspace.folder.parent / "out"
    (out.parent / "other").touch()

    run("release", workspace.folder, out)

    modes = {path.stat().st_mode for path in out.rglob("*") if path.is_file()}
    assert modes == {(out.parent / "other").stat().st_mode}
