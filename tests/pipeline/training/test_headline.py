"""What is said of an accuracy on labelled items, by how these were picked."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.measuring.left_out import LeftOut, find_left_out
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.headline import (
    accuracies,
    accuracy_lines,
    calibration,
    on_labelled,
    rests_on,
)
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Decision
from tests.conftest import summary_of

QUICK = {"kind": "linear", "effort": "quick"}
MEASURED = {"items": 1200, "accuracy": 0.9, "low": 0.88, "high": 0.92}


@pytest.mark.parametrize(
    ("told", "which"),
    [({"picked": True}, ", which are harder than the pool"), ({"picked": False}, ""), ({}, "")],
)
def test_labelled_items_are_called_hard_only_where_they_were_picked(
    told: dict[str, bool], which: str
) -> None:
    said = on_labelled(summary_of(labelled={**MEASURED, **told}))

    assert said == f"on labelled items{which}: 90.0% (88.0% to 92.0%) of 1,200, cross-validated"


@pytest.mark.parametrize(("selector", "picked"), [("random", False), ("margin", True)])
def test_a_training_knows_whether_a_selector_picked_its_items(
    small_workspace: Callable[[str], Workspace], selector: str, picked: bool
) -> None:
    folder = small_workspace("proposed").folder
    config = folder / "hilt.yaml"
    config.write_text(f"{config.read_text('utf-8')}selector: {{kind: {selector}}}\n", "utf-8")
    workspace = open_workspace(folder)
    simulate(workspace, select(workspace))

    assert train(workspace).summary.labelled["picked"] is picked  # type: ignore[index]


def test_what_the_audit_does_not_measure_is_counted(
    small_workspace: Callable[[str], Workspace],
) -> None:
    workspace = small_workspace("reviewed")
    before = workspace.database.last_decision()
    items = LoopState.read(workspace).batch(1).items
    audited = next(item for item in items if item.reason == "audit")
    asked = {item.index for item in items}
    outside = [index for index in range(60) if index not in asked][:4]
    ids = workspace.pool.ids(outside)
    record(workspace, [Decision(name, "label", ("food",), "ann") for name in ids])
    record(workspace, [Decision(audited.item_id, "flag", (), audited_by(workspace, audited.index))])

    state = LoopState.read(workspace)
    assert find_left_out(state, before) == LeftOut(outside_batches=0, without_label=0)
    found = find_left_out(state, state.last_decision)
    assert found == LeftOut(outside_batches=4, without_label=1)


def audited_by(workspace: Workspace, index: int) -> str:
    return next(o.reviewers[0] for o in LoopState.read(workspace).item_labels if o.index == index)


def found(items: int, accuracy: float) -> dict[str, dict[str, float]]:
    """What a training found of everybody."""
    measured = {"items": items, "accuracy": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.1}
    return dict.fromkeys(("student", "proposer", "fused"), measured)


def summary(audited: int, **changes: Any) -> TrainingSummary:
    """What is told of a training with as many audit labels."""
    told = {
        "audit": found(audited, 0.8),
        "on_pool": found(audited, 0.8),
        "on_rest": found(audited, 0.85),
        "labelled": {**MEASURED, "picked": True},
        "audited_items": 60,
        "pool_items": 60,
        "left_out": asdict(LeftOut(0, 0)),
    }
    return summary_of(**(told | changes))


def test_there_are_two_accuracies_and_each_has_its_name() -> None:
    assert accuracy_lines(summary(30)) == [
        "Accuracy on items like the pool: student 80.0% (70.0% to 90.0%), proposer alone 80.0%,"
        " fused 80.0% (70.0% to 90.0%).",
        "Accuracy on what is left of the pool: student 85.0% (75.0% to 95.0%), proposer alone"
        " 85.0%, fused 85.0% (75.0% to 95.0%).",
        "This rests on 30 items drawn at random.",
    ]


def test_a_task_may_call_its_accuracy_something_else() -> None:
    lines = accuracy_lines(replace(summary(30, left_out={"without_label": 1}), score="F1 of words"))

    assert [line for line in lines if line.startswith("F1 of words on ")]
    assert "The F1 of words is of items that people could label" in lines[-1]
    assert "ccuracy" not in "".join(lines)


def test_under_30_audit_labels_there_is_that_on_labelled_items() -> None:
    assert accuracy_lines(summary(29)) == [
        "Accuracy on items like the pool, and on what is left of the pool: too early to say: 29"
        " checked.",
        "Accuracy on labelled items, which are harder than the pool: 90.0% (88.0% to 92.0%) of"
        " 1,200, cross-validated.",
    ]


def test_where_nothing_is_left_there_is_one_accuracy() -> None:
    nothing = dict.fromkeys(("student", "proposer", "fused"))

    assert list(accuracies(summary(30, on_rest=nothing))) == ["on items like the pool"]


def test_an_older_training_has_one_accuracy_on_audit_items() -> None:
    older = summary(30, left_out=asdict(LeftOut(1200, 0)), on_pool=None, on_rest=None)

    assert list(accuracies(older)) == ["on audit items"]
    assert rests_on(older) == (
        "This rests on 30 items drawn at random. The 1,200 items that were labelled outside batches"
        " could not be audited."
    )


def test_a_calibration_error_says_up_to_where_it_may_be_chance() -> None:
    measured = {"calibration_error": 0.031, "calibration_limit": 0.045}
    older = {"calibration_error": 0.12}  # of a proposer, of which no bins were kept

    assert calibration(measured) == "0.031 (to 0.045)"
    assert calibration(older) == "0.120 (chance included)"


def test_what_the_audit_does_not_measure_is_said() -> None:
    left_out = asdict(LeftOut(outside_batches=40, without_label=1))

    assert rests_on(summary(30, on_pool=found(36, 0.8), left_out=left_out)) == (
        "This rests on 36 items drawn at random, of which 6 had a label already. The accuracy is of"
        " items that people could label: they skipped or flagged 1 audit item."
    )


@pytest.fixture(scope="module")
def audited(
    make_workspace_in: Callable[..., Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with more than 30 audit labels, and no test set."""
    folder = tmp_path_factory.mktemp("audited")
    workspace = make_workspace_in(folder, audit=0.9, test=False, student=QUICK)
    propose(workspace)
    simulate(workspace, select(workspace, 36))
    train(workspace)
    return workspace


@pytest.mark.parametrize("command", ["train", "cycle", "status"])
def test_an_accuracy_is_told_from_30_audit_labels_on(audited: Workspace, command: str) -> None:
    result = CliRunner().invoke(app, [command, str(audited.folder)])

    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    for where in ("on items like the pool", "on what is left of the pool"):
        assert f"Accuracy {where}: student " in said
    assert "This rests on 32 items drawn at random." in said
