"""The summary of a training is read in one place, whichever hilt wrote it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import hilt
from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.training_summary import FORMAT, TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace
from tests.conftest import summary_of

PAST = Path(__file__).parents[2] / "past" / "workspace"


def test_what_is_written_is_read_again() -> None:
    summary = summary_of(audit={"student": {"items": 3}}, label_counts={"sport": 3})

    stored = json.loads(json.dumps(summary.to_dict()))

    assert stored["format"] == FORMAT
    assert "pool_items" not in stored
    assert TrainingSummary.parse(stored) == summary


def test_that_of_an_older_hilt_says_what_it_measured_and_no_more(tmp_path: Path) -> None:
    first, second = hilt.open_workspace(
        shutil.copytree(PAST, tmp_path / "work")
    ).database.trainings()

    assert (first.summary.human_labels, second.summary.human_labels) == (18, 28)
    assert second.summary.format == 1
    assert second.summary.audited_items is None
    assert (second.summary.on_pool, second.summary.labelled) == (None, None)


def test_the_oldest_had_one_proposer_without_a_name() -> None:
    stored = {"human_labels": 9, "audit_labels": 2, "kind": "linear", "seconds": 1.0}

    summary = TrainingSummary.parse({**stored, "fusion": [0.75, 0.5]})

    assert summary.fusion == {"student": 0.75, "proposer": 0.5}


def test_one_of_a_newer_hilt_is_refused(small_workspace: Callable[[str], Workspace]) -> None:
    workspace = small_workspace("trained")
    newer = replace(workspace.database.trainings()[-1].summary, format=FORMAT + 1)
    workspace.database.add_training(
        TrainingRow(
            cycle=2,
            fingerprint="newer",
            last_decision=12,
            summary=newer,
            created_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
    )

    with pytest.raises(WorkspaceError, match=f"has the format {FORMAT + 1}, and this hilt knows"):
        workspace.database.trainings()


@pytest.mark.parametrize("number", ["2", None, FORMAT + 1])
def test_a_format_that_is_not_known_is_refused(number: object) -> None:
    with pytest.raises(ValueError, match="and this hilt knows"):
        TrainingSummary.parse({"format": number})


def test_what_is_no_summary_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks what every one has"):
        TrainingSummary.parse({})
