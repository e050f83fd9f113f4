"""A workspace and a release that an older hilt left; see `make_workspace.py`."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hilt
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.next_steps import next_step
from tests.pipeline.reviewing.desk.conftest import at_desk, person, says

PAST = Path(__file__).parent
ROWS = ("batch", "batch_item", "decision", "training", "reviewer", "project")


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A folder with copies of the workspace and of the release."""
    for name in ("workspace", "release"):
        shutil.copytree(PAST / name, tmp_path / name)
    return tmp_path


def rows(workspace: Path, table: str) -> list[dict[str, object]]:
    with sqlite3.connect(workspace / "state.db") as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def run(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    value: dict[str, object] = json.loads(result.stdout)
    return value


def assert_kept(workspace: Path) -> None:
    """Every row of the past is still there as it was, in more columns and before new rows."""
    for table in ROWS[:-1]:
        before = rows(PAST / "workspace", table)
        after = rows(workspace, table)[: len(before)]
        assert [
            {name: new[name] for name in old} for old, new in zip(before, after, strict=True)
        ] == before
    assert (
        rows(workspace, "project")[0]["labels"] == rows(PAST / "workspace", "project")[0]["labels"]
    )
    for name in ("embeddings.npy", "pool/data-00000-of-00001.arrow"):
        assert (workspace / name).read_bytes() == (PAST / "workspace" / name).read_bytes()


def test_status_counts_what_the_past_counted(past: Path) -> None:
    status = run("status", past / "workspace")

    assert status["items"] == 135
    assert status["human_labels"] == 28
    assert status["audit_labels"] == 6
    assert (status["batch"], status["open_items"], status["cycle"]) == (3, 20, 2)
    assert status["disputed"] == 2
    assert status["review_minutes"] == 11.77
    assert_kept(past / "workspace")


def test_nothing_is_made_again_but_the_near_duplicates_of_an_older_rule(past: Path) -> None:
    work = hilt.open_workspace(past / "workspace")

    first, second = hilt.propose(work), hilt.propose(work)

    assert first.made == ("near-duplicates",)
    assert first.regrouped
    assert second.made == ()
    assert not second.regrouped
    assert_kept(past / "workspace")


def test_what_is_open_is_decided_before_the_near_duplicates_are_made_again(past: Path) -> None:
    work = hilt.open_workspace(past / "workspace")
    assert next_step(LoopState.read(work)).words[0] == "review"

    items = hilt.select(work).items
    hilt.record(work, [hilt.Decision(each.item_id, "skip", (), "ann") for each in items])

    step = next_step(LoopState.read(work))
    assert step.words[0] == "propose"
    assert step.why == (
        "Near-duplicates must be grouped again, because hilt's rule for them has changed."
    )
    hilt.propose(work)
    assert next_step(LoopState.read(work)).words[0] == "cycle"


def test_propose_says_why_the_near_duplicates_are_made_again(past: Path) -> None:
    said = CliRunner().invoke(app, ["propose", str(past / "workspace")]).stdout

    assert "made near-duplicates." in said
    assert "words that many texts share no longer make texts alike" in " ".join(said.split())


def test_the_loop_goes_on(past: Path) -> None:
    work = hilt.open_workspace(past / "workspace", device="cpu")
    truth = {row["id"]: row["label"] for row in read_csv(PAST / "pool.csv")}
    batch = hilt.select(work)

    said = [
        hilt.Decision(item.item_id, "label", (truth[item.item_id],), "ann") for item in batch.items
    ]
    hilt.record(work, said)
    following = hilt.cycle(work)

    assert [item.item_id for item in batch.items] == [
        row["item_id"] for row in rows(PAST / "workspace", "batch_item") if row["batch"] == 3
    ]
    assert (batch.number, following.number) == (3, 4)
    assert hilt.status(work).cycle == 3
    assert_kept(work.folder)


def test_the_past_is_reviewed_on_the_screen(past: Path) -> None:
    workspace = hilt.open_workspace(past / "workspace")
    open_items = [int(str(row["item_index"])) for row in rows(PAST / "workspace", "batch_item")][
        -20:
    ]

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        served = await desk.serve(ann, [], 3)
        assert [shown.item for shown in served.items] == open_items[:3]
        (receipt,) = await desk.record(ann, [says(open_items[0], "login")])
        assert receipt.refused is None

    at_desk(workspace, work)
    workspace.database.close()

    assert rows(workspace.folder, "decision")[-1]["reviewer"] == "ann"
    assert_kept(workspace.folder)


def test_the_past_is_released_with_the_same_labels(past: Path) -> None:
    released = hilt.release(hilt.open_workspace(past / "workspace"), past / "out")

    now, then = (read_csv(folder / "dataset.csv") for folder in (past / "out", past / "release"))
    assert [{name: row[name] for name in old} for row, old in zip(now, then, strict=True)] == then
    assert released.student is not None
    assert_kept(past / "workspace")


@pytest.mark.parametrize(
    "student", ["workspace", "release/student", "workspace/students/cycle-0002"]
)
def test_a_student_of_the_past_predicts_what_it_did(past: Path, student: str) -> None:
    hilt.predict(past / student, PAST / "pool.csv", past / "predictions.csv", id="id")

    now, then = read_csv(past / "predictions.csv"), read_csv(PAST / "predictions.csv")
    assert [(row["id"], row["label"]) for row in now] == [(row["id"], row["label"]) for row in then]
    assert [float(row["probability"]) for row in now] == pytest.approx(
        [float(row["probability"]) for row in then], abs=1e-3
    )
