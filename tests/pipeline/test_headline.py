"""What is said of an accuracy on labelled items, by how these were picked."""

from collections.abc import Callable
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from hilt.pipeline.batches import read_batch, select
from hilt.pipeline.cli import app
from hilt.pipeline.cycle import train
from hilt.pipeline.headline import on_labelled, stands_for
from hilt.pipeline.left_out import LeftOut, find_left_out
from hilt.pipeline.proposing import propose
from hilt.pipeline.reviewing import record, simulate
from hilt.pipeline.workspace import Workspace, open_workspace
from hilt.types import Decision

QUICK = {"kind": "linear", "effort": "quick"}
MEASURED = {"items": 1200, "accuracy": 0.9, "low": 0.88, "high": 0.92}


@pytest.mark.parametrize(
    ("told", "which"),
    [({"picked": True}, ", which are harder than the pool"), ({"picked": False}, ""), ({}, "")],
)
def test_labelled_items_are_called_hard_only_where_they_were_picked(
    told: dict[str, bool], which: str
) -> None:
    said = on_labelled({"labelled": {**MEASURED, **told}})

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

    assert train(workspace).summary["labelled"]["picked"] is picked


def test_what_the_audit_does_not_measure_is_counted(
    small_workspace: Callable[[str], Workspace],
) -> None:
    workspace = small_workspace("reviewed")
    before = workspace.store.last_decision()
    items = read_batch(workspace, 1).items
    audited = next(item for item in items if item.reason == "audit")
    asked = {item.index for item in items}
    outside = [index for index in range(60) if index not in asked][:4]
    ids = workspace.pool.ids(outside)
    record(workspace, [Decision(name, "label", ("food",), "ann") for name in ids])
    record(workspace, [Decision(audited.item_id, "flag", (), audited_by(workspace, audited.index))])

    assert find_left_out(workspace, before) == LeftOut(outside_batches=0, without_label=0)
    found = find_left_out(workspace, workspace.store.last_decision())
    assert found == LeftOut(outside_batches=4, without_label=1)


def audited_by(workspace: Workspace, index: int) -> str:
    return next(o.reviewers[0] for o in workspace.outcomes() if o.index == index)


def test_what_the_audit_does_not_measure_is_said() -> None:
    whole = {"audited_items": 60, "pool_items": 60}

    assert stands_for({**whole, "left_out": asdict(LeftOut(0, 0))}) == ""
    assert stands_for({**whole, "left_out": asdict(LeftOut(1200, 1))}) == (
        " The 1,200 items that were labelled outside batches could not be audited. The accuracy"
        " is of items that people could label: they skipped or flagged 1 audit item."
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
    assert "32 audit items: student " in result.output
