"""A workspace whose files are damaged: what reads says so, and one command mends it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hilt.errors import OutputError
from hilt.files import read_object
from hilt.pipeline.cli import app
from hilt.pipeline.desk.desk import WorkspaceDesk
from hilt.pipeline.workspace import Workspace

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
    workspace.store.close()
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

    with pytest.raises(OutputError, match="No space left on device; make room"), workspace.locked():
        Path("/dev/full").write_text("x")


def test_what_is_released_is_as_readable_as_the_umask_says(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    out = workspace.folder.parent / "out"
    (out.parent / "other").touch()

    run("release", workspace.folder, out)

    modes = {path.stat().st_mode for path in out.rglob("*") if path.is_file()}
    assert modes == {(out.parent / "other").stat().st_mode}
