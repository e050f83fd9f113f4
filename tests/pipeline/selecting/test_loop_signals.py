"""What selectors are told about how the loop is doing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.loop_signals import LoopSignals
from hilt.pipeline.cycle import cycle
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.selecting.loop_signals import read_signals
from hilt.pipeline.workspace.workspace import Workspace

Open = Callable[[str], Workspace]


def signals(workspace: Workspace) -> LoopSignals:
    return read_signals(workspace, LoopState.read(workspace).training)


def test_before_a_training_nothing_is_measured(small_workspace: Open) -> None:
    assert signals(small_workspace("reviewed")) == LoopSignals()


def test_few_audit_labels_say_nothing(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")

    assert LoopState.read(workspace).training.summary.audit_labels == 6  # type: ignore[union-attr]
    assert signals(workspace).calibration_error is None
    assert signals(workspace).advantage is None


def test_a_first_student_has_none_to_agree_with(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    propose(workspace)

    assert signals(workspace).stability is None


def test_agreement_is_the_share_that_the_last_two_students_label_alike(
    small_workspace: Open,
) -> None:
    workspace = small_workspace("two_cycles")
    before = workspace.proposal("student").open().argmax(axis=1).copy()
    assert signals(workspace).stability is None  # the newest has not proposed yet

    propose(workspace)

    after = workspace.proposal("student").open().argmax(axis=1)
    assert signals(workspace).stability == round(float(np.mean(before == after)), 4)


@pytest.mark.parametrize(("limit", "told"), [(0.05, 0.0), (0.03, 0.04)])
def test_a_calibration_error_within_chance_is_none(
    small_workspace: Open, limit: float, told: float
) -> None:
    workspace = small_workspace("trained")
    training = LoopState.read(workspace).training
    assert training is not None
    fused = training.summary.audit["fused"]  # type: ignore[index]
    audit = {"fused": {**fused, "calibration_error": 0.04, "calibration_limit": limit}}
    training.summary = replace(training.summary, audit_labels=50, audit=audit)

    assert read_signals(workspace, training).calibration_error == told


def test_a_workspace_with_many_audit_labels_measures_everything(
    new_workspace: Callable[..., Workspace],
) -> None:
    from hilt.pipeline.reviewing.answer_files import simulate
    from hilt.pipeline.selecting.batches import select

    workspace = new_workspace(audit=0.7)
    propose(workspace)
    for size in (24, 24):
        simulate(workspace, select(workspace, size))
        cycle(workspace)

    found = signals(workspace)

    assert found.calibration_error is not None
    assert found.stability is not None
    assert found.advantage is not None
