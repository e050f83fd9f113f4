"""What a user leaves with."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from hilt.errors import DataError, ModelError, WorkspaceError
from hilt.figures import with_interval
from hilt.pipeline.releasing.predict import predict
from hilt.pipeline.releasing.release import release
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.students.saved import OUT_OF_FOLD
from hilt.pipeline.training.headline import on_labelled
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

Open = Callable[[str], Workspace]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of a release."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "dataset.parquet").to_pylist()
    return rows


def test_a_release_says_who_gave_every_label(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("two_cycles")
    result = release(workspace, tmp_path / "out")

    rows = rows_of(tmp_path / "out")
    people = [row for row in rows if row["source"] == "person"]
    machine = [row for row in rows if row["source"] == "machine"]
    assert (result.items, result.human, result.machine) == (60, 24, 36)
    assert (len(people), len(machine)) == (24, 36)
    assert {row["given_by"] for row in people} == {"simulated"}
    assert {row["given_by"] for row in machine} == {"fused proposal of cycle 2"}
    assert all(row["decided_at"] and row["decisions"] == 1 for row in people)
    assert all(row["label"] == row["proposal"] for row in machine)
    assert all(0 < row["probability"] <= 1 for row in rows)
    assert sum(row["audit"] for row in rows) == 6


def test_a_release_tells_people_from_machines_and_proposals(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("selected")
    answered = oracle(workspace, least=0.5).answers
    record(workspace, [Decision(answered[0].item_id, "label", ("sport",), "ann")])

    result = release(workspace, tmp_path / "out")

    rows = {row["id"]: row for row in rows_of(tmp_path / "out")}
    mine, machine = rows[answered[0].item_id], rows[answered[1].item_id]
    assert (result.human, result.oracle, result.machine, result.unlabelled) == (1, 8, 51, 0)
    assert (mine["source"], mine["given_by"], mine["label"]) == ("person", "ann", "sport")
    assert (machine["source"], machine["given_by"]) == ("oracle", "machine:fused")
    assert (mine["decisions"], machine["decisions"], machine["decided_at"]) == (1, 0, None)
    assert not any(row["audit"] for row in rows.values())
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "where all models agree (`oracle`) | 8 |" in card


def test_the_csv_holds_the_same_rows(small_workspace: Open, tmp_path: Path) -> None:
    release(small_workspace("trained"), tmp_path / "out")

    rows = rows_of(tmp_path / "out")
    with (tmp_path / "out" / "dataset.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["id"] for line in lines] == [row["id"] for row in rows]
    assert [line["label"] for line in lines] == [row["label"] for row in rows]


def test_a_skipped_item_has_no_label(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    item = select(workspace).items[0]
    record(workspace, [Decision(item.item_id, "skip", (), "ann")])

    result = release(workspace, tmp_path / "out")

    rows = {row["id"]: row for row in rows_of(tmp_path / "out")}
    assert rows[item.item_id]["label"] is None
    assert rows[item.item_id]["source"] == "none"
    assert (result.unlabelled, result.student) == (1, None)


def test_the_cards_state_what_was_measured(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("two_cycles")
    release(workspace, tmp_path / "out")
    summary = workspace.database.trainings()[-1].summary

    model = (tmp_path / "out" / "student" / "README.md").read_text("utf-8")
    dataset = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "24 labels from people, 6 of them given blind" in model
    assert "the fused proposal is right is too early to say: 6 checked." in dataset
    assert on_labelled(summary) in dataset
    assert "<" not in (model + dataset).replace("- n<1K", "")
    assert with_interval(summary.test["student"]) in model  # type: ignore[index]
    assert "too early to say: 6 checked" in model
    assert on_labelled(summary) in model
    assert "| a person (`source` is `person`) | 24 |" in dataset
    assert json.loads((tmp_path / "out" / "labels.json").read_text()) == [
        "animals",
        "food",
        "sport",
    ]


def test_from_30_audit_labels_on_the_cards_state_an_accuracy(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("trained")
    last = workspace.database.trainings()[-1]
    found = {"items": 30, "accuracy": 0.8, "low": 0.6269, "high": 0.9049}
    measured = {**last.summary.test["student"], **found}  # type: ignore[index]
    audit = dict.fromkeys(("student", "proposer", "fused"), measured)
    rest = {who: {**found, "accuracy": 0.85} for who in audit}
    row = TrainingRow(
        cycle=2,
        fingerprint="another",
        last_decision=last.last_decision,
        summary=replace(last.summary, audit=audit, on_pool=audit, on_rest=rest),
        created_at=last.created_at,
    )
    workspace.database.add_training(row)
    shutil.copytree(workspace.student_folder(1), workspace.student_folder(2))

    release(workspace, tmp_path / "out")

    model = (tmp_path / "out" / "student" / "README.md").read_text("utf-8")
    dataset = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| on items like the pool | 30 | 80.0% (62.7% to 90.5%) |" in model
    assert "| on what is left of the pool | 30 | 85.0% (62.7% to 90.5%) |" in model
    assert "- on items like the pool: 80.0% (62.7% to 90.5%)" in dataset
    assert "- on what is left of the pool: 85.0% (62.7% to 90.5%)" in dataset
    assert "This rests on 30 items drawn at random." in dataset
    assert "too early" not in model + dataset


def test_the_card_of_a_dataset_leaves_language_and_licence_to_the_user(
    small_workspace: Open, tmp_path: Path
) -> None:
    release(small_workspace("proposed"), tmp_path / "out")

    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert (head["language"], head["task_categories"]) == (["und"], ["text-classification"])
    assert "license" not in head
    assert "writes it above as `license:`" in card
    assert "The language of the texts is not stated" in card
    assert "`student/`" not in card


def test_comments_and_flags_of_several_people_are_released(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("selected")
    flagged, labelled, *_ = select(workspace).items
    said = [
        Decision(flagged.item_id, "skip", (), "ann", comment="no idea"),
        Decision(flagged.item_id, "flag", (), "bob", comment="is this even English?"),
        Decision(labelled.item_id, "label", ("sport",), "ann", comment="early"),
        Decision(labelled.item_id, "label", ("food",), "ann", comment="on second thought, food"),
    ]
    for decision in said:
        record(workspace, [decision])

    result = release(workspace, tmp_path / "out")

    rows = {row["id"]: row for row in rows_of(tmp_path / "out")}
    both, one = rows[flagged.item_id], rows[labelled.item_id]
    assert (result.skipped, result.flagged, result.commented) == (0, 1, 2)
    assert (both["action"], both["label"]) == ("flag", None)
    assert both["comment"] == "ann: no idea | bob: is this even English?"
    assert (one["action"], one["label"]) == ("label", "food")
    assert one["comment"] == "on second thought, food"
    assert {row["action"] for row in rows.values()} == {"flag", "label", None}


@pytest.mark.parametrize("name", ["predictions.csv", "predictions.parquet"])
def test_a_released_student_predicts_new_items(
    small_workspace: Open, tmp_path: Path, name: str
) -> None:
    release(small_workspace("two_cycles"), tmp_path / "out")
    (tmp_path / "new.csv").write_text(
        'body\n"The goat ate grass on the hill."\n"A spicy bean stew with rice."\n'
    )

    result = predict(tmp_path / "out/student", tmp_path / "new.csv", tmp_path / name, text="body")

    assert result.items == 2
    assert result.label_counts == {"animals": 1, "food": 1}
    assert (tmp_path / name).exists()


def test_predicting_explains_what_is_missing(small_workspace: Open, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text\nx\n")
    workspace = small_workspace("proposed")

    with pytest.raises(WorkspaceError, match="no student yet"):
        predict(workspace.folder, tmp_path / "new.csv", tmp_path / "p.csv")
    with pytest.raises(ModelError, match="contains no student"):
        predict(tmp_path, tmp_path / "new.csv", tmp_path / "p.csv")
    with pytest.raises(DataError, match=r"'.xlsx'; allowed: .csv, .parquet"):
        predict(workspace.folder, tmp_path / "new.csv", tmp_path / "p.xlsx")


def test_a_released_student_keeps_what_it_learnt_from_to_itself(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("trained")
    release(workspace, tmp_path / "out")

    assert (workspace.student_folder(1) / OUT_OF_FOLD).exists()
    assert not (tmp_path / "out" / "student" / OUT_OF_FOLD).exists()
