"""One turn of the loop: train the student, measure it, propose again, select."""

from __future__ import annotations

from hilt.errors import WorkspaceError
from hilt.figures import counted
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import TrainResult, labelled_test, make_problem, train
from hilt.pipeline.workspace.open_batches import open_batch, undecided
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Batch

__all__ = ["TrainResult", "cycle", "labelled_test", "make_problem", "train"]


def cycle(workspace: Workspace, *, partial: bool = False, extend: bool = False) -> Batch:
    """Train on the decisions so far, propose again with the student, and select a batch.

    Once everything is decided the batch is empty, as that of `select`.

    Args:
        workspace: Where decisions and proposals are.
        partial: Go on although the open batch has undecided items; they go back to the pool.
        extend: Go on, and leave those items open beside the new ones.

    Raises:
        WorkspaceError: If there are no labels yet, or undecided items and not `partial`.
    """
    current = open_batch(workspace)
    if current is not None and not partial and not extend:
        waiting = undecided(workspace, current)
        trained = latest_training(workspace)
        if trained is not None and trained.last_decision == workspace.database.last_decision():
            return current  # this cycle has turned already
        raise WorkspaceError(
            f"Batch {current.number} has {counted(len(waiting), 'undecided item')};"
            " review the rest, leave it with --partial, or keep it open with --extend."
        )
    with workspace.locked():
        train(workspace)
        propose(workspace)
        return select(workspace, new=True, extend=extend)
