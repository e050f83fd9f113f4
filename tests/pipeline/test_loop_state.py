"""What a command knows: read once, and brought on by what the command itself adds."""

from collections.abc import Callable

import pytest

from hilt.errors import WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.workspace import Workspace

OpenWorkspace = Callable[[str], Workspace]


def test_the_state_is_that_of_the_database(small_workspace: OpenWorkspace) -> None:
    workspace = small_workspace("two_cycles")
    state = LoopState.read(workspace)

    assert [row.id for row in state.decisions] == list(range(1, 25))
    assert state.last_decision == 24
    assert [batch.number for batch in state.batches] == [1, 2]
    assert len(state.batch_items) == 24
    assert [row.cycle for row in state.trainings] == [1, 2]
    assert len(state.labelled) == len(state.item_labels) == 24
    assert state.open_batch is None


def test_an_open_batch_is_what_select_gave(small_workspace: OpenWorkspace) -> None:
    workspace = small_workspace("selected")
    batch = select(workspace)

    state = LoopState.read(workspace)

    assert state.open_batch == batch == state.undecided(batch) == state.batch(1)
    assert state.chain == [1]
    with pytest.raises(WorkspaceError, match="has no batch 7; it has 1"):
        state.batch(7)


def test_what_a_command_adds_needs_no_second_look(small_workspace: OpenWorkspace) -> None:
    workspace = small_workspace("reviewed")
    before = LoopState.read(workspace)
    train(workspace)
    select(workspace)
    after = LoopState.read(workspace)

    state = before.after_training(after.trainings[-1])
    state = state.after_batch(after.batches[-1], after.batch_items[len(before.batch_items) :])

    assert state.training is after.training
    assert state.open_batch == after.open_batch
    assert before.training is None
    assert before.open_batch is None
