"""Training, proposing with the student, and what is not done twice."""

import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from hilt.errors import WorkspaceError
from hilt.files import write_json
from hilt.pipeline.cycle import cycle
from hilt.pipeline.proposing.embedding import embeddings_maker
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.proposers.base import Embedder
from tests.forks import BEFORE_A_FILE, BEFORE_A_STATEMENT, forked

Open = Callable[[str], Workspace]


def test_the_loop_learns(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")
    first, second = workspace.database.trainings()

    assert (first.summary.human_labels, second.summary.human_labels) == (12, 24)
    assert second.summary.test["student"]["accuracy"] >= 0.9  # type: ignore[index]
    assert second.summary.audit["student"]["items"] == 6  # type: ignore[index]


def test_nothing_is_trained_or_made_again_when_nothing_changed(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")
    propose(workspace)

    assert not train(workspace).new
    assert propose(workspace).made == ()


def test_a_changed_setting_trains_again(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    path = workspace.folder / "hilt.yaml"
    path.write_text(path.read_text("utf-8") + "student:\n  kind: linear\n  folds: 3\n", "utf-8")

    assert train(open_workspace(workspace.folder)).cycle == 2


def test_two_runs_give_the_same_student(small_workspace: Open) -> None:
    workspace = small_workspace("reviewed")
    train(workspace)
    propose(workspace)
    first = workspace.fused.open().copy()
    other = small_workspace("trained")
    propose(other)

    assert np.array_equal(first, other.fused.open())


def test_the_student_proposes_after_a_training(small_workspace: Open) -> None:
    workspace = small_workspace("trained")

    assert propose(workspace).made == ("student", "fused")
    fused = workspace.fused.open().astype(np.float32)
    assert np.allclose(fused.sum(axis=1), 1, atol=0.01)


def test_an_encoder_whose_folder_was_moved_embeds_nothing_again(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")
    named = {"model": "./enc", "precision": "float32", "max_tokens": "256", "checksum": "abc"}
    pool, file = workspace.pool, workspace.embeddings
    write_json(file.maker_path, {"embedder": named, "pool": pool.fingerprint})

    def maker(**changes: str) -> dict[str, Any]:
        embedder = SimpleNamespace(fingerprint={**named, **changes})
        return embeddings_maker(workspace.config.embedder, cast(Embedder, embedder), pool, file)

    assert file.is_current(maker(model="/home/ann/enc"))
    assert not file.is_current(maker(model="/home/ann/enc", checksum="def"))
    assert not file.is_current(maker(max_tokens="64"))


def test_training_without_labels_says_what_to_do(small_workspace: Open) -> None:
    for stage, command in {"proposed": "select", "selected": "review"}.items():
        with pytest.raises(WorkspaceError, match=rf"review a batch first \(`hilt {command} "):
            train(small_workspace(stage))


def test_a_cycle_that_has_turned_gives_its_batch_again(small_workspace: Open) -> None:
    workspace = small_workspace("trained")

    assert cycle(workspace) == cycle(workspace)


def test_status_names_the_next_command_at_every_stage(small_workspace: Open) -> None:
    steps = {
        stage: status(small_workspace(stage)).next_step.split()[1]
        for stage in ("ready", "proposed", "selected", "reviewed")
    }

    assert steps == {
        "ready": "propose",
        "proposed": "select",
        "selected": "review",
        "reviewed": "cycle",
    }


def test_a_saved_student_says_what_it_is(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    saved = read_student(workspace.student_folder(1), "cpu")

    assert saved.labels == workspace.config.label_names
    assert saved.embedder is not None
    assert saved.embedder["model"] == workspace.config.embedder.model
    assert saved.record["training"]["human_labels"] == 12


def test_the_state_refuses_a_training_twice(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    row = workspace.database.trainings()[0]
    copy = type(row)(**{column.name: getattr(row, column.name) for column in row.__table__.columns})

    with pytest.raises((IntegrityError, OperationalError)):
        workspace.database.add_training(copy)


CYCLE = "import hilt\nhilt.cycle(hilt.open_workspace(sys.argv[1]))\n"


@pytest.mark.parametrize(
    ("kill", "step"),  # a cycle writes about 37 times to files, and 14 rows
    [
        *((BEFORE_A_FILE, step) for step in (5, 15, 25, 35)),
        (BEFORE_A_STATEMENT, 2),
        (BEFORE_A_STATEMENT, 12),
    ],
    ids=["file-5", "file-15", "file-25", "file-35", "row-2", "row-12"],
)
def test_a_killed_cycle_can_be_run_again(small_workspace: Open, kill: str, step: int) -> None:
    workspace = small_workspace("reviewed")
    with forked(kill + CYCLE, workspace.folder, step) as killed:
        assert killed.wait(timeout=60) == -signal.SIGKILL

    batch = cycle(workspace)

    assert batch.number == 2
    assert len(workspace.database.trainings()) == 1
    assert len(workspace.database.batch_numbers()) == 2
    simulate(workspace, batch)
