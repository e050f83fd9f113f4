"""Copies of one text that people labelled differently."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hilt
from hilt.pipeline.cli import app
from hilt.pipeline.duplicates.contrary import find_contrary
from hilt.pipeline.duplicates.summary import summarise
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

COPIES = [
    ("copy-0", "The cat slept  in its den all day.", ""),
    ("copy-1", "THE CAT SLEPT in its den all day.", ""),
    ("copy-2", "I cooked soup for dinner with garlic.", ""),
    ("empty-0", "", ""),
    ("empty-1", " ", ""),
]


@pytest.fixture
def work(make_workspace_in: Callable[..., Workspace], tmp_path: Path) -> Workspace:
    made = make_workspace_in(tmp_path, extra=COPIES, test=False)
    said = [
        ("cat-0", "animals", "ann"),
        ("copy-1", "food", "bob"),
        ("copy-0", "animals", "bob"),
        ("soup-0", "food", "ann"),
        ("copy-2", "food", "bob"),
        ("dog-0", "animals", "ann"),
        ("dog-0", "food", "bob"),  # two people on one item disagree, which is something else
        ("empty-0", "food", "ann"),
        ("empty-1", "sport", "ann"),
    ]
    hilt.record(made, [Decision(item, "label", (label,), name) for item, label, name in said])
    machine = Decision("copy-2", "label", ("sport",), "machine:x", source="oracle", kind="machine")
    hilt.record(made, [machine])
    return made


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "500"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_they_are_counted_wherever_duplicates_and_agreement_are(work: Workspace) -> None:
    hint = "1 text has copies that people labelled differently; list them with `hilt duplicates"

    assert hint in run("status", work.folder)
    assert hint in run("agreement", work.folder)
    assert (
        summarise(work, LoopState.read(work).item_labels).contrary
        == hilt.agreement(work).contrary
        == 1
    )
    hilt.propose(work)
    assert hint in run("duplicates", work.folder)
    assert json.loads(run("duplicates", work.folder, "--json"))["summary"]["contrary"] == 1


def test_the_command_that_is_named_shows_them(work: Workspace) -> None:
    (found,) = find_contrary(work)
    out = run("duplicates", work.folder, "--contrary")
    listed = json.loads(run("duplicates", work.folder, "--contrary", "--json"))["contrary"]

    assert found.text == "The cat slept in its den all day."
    said = [(copy.id, copy.label, copy.reviewers) for copy in found.copies]
    assert said == [
        ("cat-0", "animals", ("ann",)),
        ("copy-0", "animals", ("bob",)),
        ("copy-1", "food", ("bob",)),
    ]
    assert "    food (bob): copy-1\n" in out
    assert [copy["id"] for copy in listed[0]["copies"]] == ["cat-0", "copy-0", "copy-1"]


def test_they_are_gone_once_one_is_put_right(work: Workspace, tmp_path: Path) -> None:
    (tmp_path / "right.csv").write_text("id,label\ncopy-1,animals\n")
    hilt.import_answers(work, tmp_path / "right.csv", reviewer="bob")

    assert find_contrary(work) == []
    assert summarise(work, LoopState.read(work).item_labels).contrary == 0
    assert "No copies of a text have different labels." in run(
        "duplicates", work.folder, "--contrary"
    )
    assert "differently" not in run("status", work.folder)
