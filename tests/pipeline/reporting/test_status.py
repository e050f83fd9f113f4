"""Where a workspace stands, in text and in JSON."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reporting.report_tables import proposer_rows
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace

Open = Callable[[str], Workspace]


def test_people_and_machines_are_counted_apart(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)
    current = LoopState.read(workspace).open_batch
    assert current is not None
    simulate(workspace, LoopState.read(workspace).undecided(current))

    result = status(workspace)

    assert (result.human_labels, result.machine_labels, result.audit_labels) == (3, 9, 3)
    assert sum(result.label_counts.values()) == 3
    assert (result.skipped, result.open_items, result.review_minutes) == (0, 0, 0.25)


@pytest.mark.parametrize(("stage", "shown"), [("trained", True), ("reviewed", False)])
def test_proposers_stand_in_a_table_once_a_training_measured_them(
    small_workspace: Open, stage: str, shown: bool
) -> None:
    work = str(small_workspace(stage).folder)

    out = CliRunner().invoke(app, ["status", work], env={"COLUMNS": "120"}).stdout

    assert ("Proposers" in out) is shown
    assert ("calibration error" in out) is shown


def test_the_json_says_what_the_table_does(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")

    out = CliRunner().invoke(app, ["status", str(workspace.folder), "--json"]).stdout

    training = TrainingSummary.parse(json.loads(out)["training"])
    assert proposer_rows(training) == proposer_rows(workspace.database.trainings()[-1].summary)
    assert list(training.proposers) == ["student", "zero_shot", "fused"]
