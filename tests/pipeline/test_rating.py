"""A third party's task of one label, named in the configuration, from the first row to the release.

How it stands on the screen: `tests/review/screen/test_rating.py`.
"""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

import hilt
from hilt import Decision
from hilt.errors import ConfigError, DataError
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.workspace import Workspace
from hilt.values import value_of
from tests.one_label import known_labels

WORDS = {"1": "awful", "2": "poor", "3": "fair", "4": "good", "5": "superb"}
THINGS = (
    *("soup", "bread", "cake", "rice", "tea", "room"),
    *("bed", "bath", "pool", "view", "car", "train"),
)


def configure(folder: Path, **changes: Any) -> Path:
    """Write sixty texts, twelve of each rating, and a configuration that names the task."""
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", "stars"])
        for thing in THINGS:
            for stars, word in WORDS.items():
                table.writerow([f"{thing}-{stars}", f"The {thing} was {word}, very {word}", stars])
    config = {
        "task": "tests.toys.rating:Rating",
        "pool": {"path": "pool.csv", "id": "id", "label": "stars"},
        "labels": {stars: f"It was {word}." for stars, word in WORDS.items()},
        "batch": {"size": 20, "audit": 0.2},
        "simulation": {"error_rate": 0.2},
        "device": "cpu",
        **changes,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which 40 of 60 texts are rated; do not change."""
    folder = tmp_path_factory.mktemp("rating")
    workspace = hilt.init(folder / "work", configure(folder))
    hilt.propose(workspace)
    hilt.simulate(workspace, hilt.select(workspace))
    hilt.simulate(workspace, hilt.cycle(workspace))
    hilt.train(workspace)
    hilt.propose(workspace)
    workspace.database.close()
    return folder / "work"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    return hilt.open_workspace(shutil.copytree(made, tmp_path / "work"))


def test_an_error_of_the_simulated_reviewer_is_one_off(workspace: Workspace) -> None:
    key, answers = known_labels(workspace), workspace.task.answers

    losses = {
        answers.loss(row.value, value_of(key[row.item_id]))
        for row in workspace.database.decisions()
        if row.action == "label"
    }

    assert losses == {0, 0.25}


def test_what_is_measured_is_called_what_the_task_calls_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    told = CliRunner().invoke(app, ["status", str(workspace.folder)]).stdout
    hilt.release(workspace, tmp_path / "out")
    hilt.report(workspace, tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    dataset, model = (
        (tmp_path / "out" / card).read_text(encoding="utf-8")
        for card in ("README.md", "student/README.md")
    )

    assert "Closeness on labelled items" in told
    assert "closeness" in told.split("Proposers")[1]
    assert "so the closeness that was measured on items like the pool" in report.lower()
    assert '<th scope="col" class="number">Closeness</th>' in report
    assert "Closeness of the student on labelled items" in dataset
    assert "| closeness (95 % interval) |" in model
    assert "Closeness on labelled items" in model
    for text in (told, dataset, model):
        assert "accurac" not in text.lower()


def test_several_ratings_come_to_their_median(workspace: Workspace) -> None:
    hilt.record(
        workspace,
        [
            Decision("tea-3", "label", (said,), name)
            for name, said in zip("abc", "125", strict=True)
        ],
    )

    index = int(workspace.pool.index_of(["tea-3"])[0])
    outcome = next(each for each in LoopState.read(workspace).resolved if each.index == index)

    assert outcome.value in (value_of("2"), value_of("3"))  # it may have been rated before
    assert hilt.status(workspace).disputed == 1


def test_a_setting_of_the_task_is_followed_and_checked(tmp_path: Path) -> None:
    kind = "tests.toys.rating:Rating"
    path = configure(tmp_path, task={"kind": kind, "settings": {"settle": "nobody"}})
    work = hilt.init(tmp_path / "work", path)
    hilt.record(work, [Decision("tea-3", "label", (said,), said * 2) for said in "15"])

    assert [each.value for each in LoopState.read(work).resolved] == [None]
    with pytest.raises(ConfigError, match=r"line 4: .*the setting 'settle' is 'dice'"):
        hilt.load_config(configure(tmp_path, task={"kind": kind, "settings": {"settle": "dice"}}))


def test_a_task_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown task 'singel'. Did you mean: single\?"):
        hilt.load_config(configure(tmp_path, task="singel"))


def test_ratings_go_out_and_come_back_in_a_sheet(workspace: Workspace, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    asked = hilt.select(workspace)
    hilt.export(workspace, sheet)
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = "4"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)

    result = hilt.import_answers(workspace, sheet, reviewer="ann")

    assert (result.added, result.open_items) == (len(asked), 0)
    with pytest.raises(DataError, match="'6' is not a label"):
        hilt.record(workspace, [Decision("tea-3", "label", ("6",), "ann")])


def test_people_who_agree_and_who_do_not_are_told(workspace: Workspace) -> None:
    said = {"tea-1": "11", "tea-2": "22", "bed-1": "12", "bed-2": "21"}
    hilt.record(
        workspace,
        [
            Decision(item, "label", (rating,), name)
            for item, ratings in said.items()
            for name, rating in zip(("ann", "bob"), ratings, strict=True)
        ],
    )

    found = hilt.agreement(workspace)

    assert [each.label for each in found.agreement.labels] == list(WORDS)
    assert found.agreement.items >= 4


def test_a_release_holds_the_ratings_and_a_report_is_written(
    workspace: Workspace, tmp_path: Path
) -> None:
    result = hilt.release(workspace, tmp_path / "out")
    hilt.report(workspace, tmp_path / "report.html")

    rows = pq.read_table(tmp_path / "out" / "dataset.parquet").to_pylist()
    right = [row["label"] == row["id"][-1] for row in rows]
    assert (result.items, len(rows)) == (60, 60)
    assert {row["label"] for row in rows} <= set(WORDS)
    assert sum(right) > 30
    student = tmp_path / "out" / "student"
    assert hilt.load_student(student, trust=["tests.toys.rating:Rating"]).labels == tuple(WORDS)
    assert "tests.toys.rating:Rating" in (student / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "report.html").stat().st_size > 10_000
