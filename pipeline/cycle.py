"""One turn of the loop: train the student, measure it, propose again, select."""

from __future__ import annotations

from hilt.errors import WorkspaceError
from hilt.figures import counted
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import make_proposals
from hilt.pipeline.selecting.batches import make_batch
from hilt.pipeline.training.readiness import up_to_date
from hilt.pipeline.training.train import train_if_new
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Batch


def cycle(workspace: Workspace, *, partial: bool = False, extend: bool = False) -> Batch:
    """Train on the decisions so far, propose again with the student, and select a batch.

    Once everything is decided, the batch is empty, like that of `select`.

    Args:
        workspace: Where decisions and proposals are.
        partial: Continue although the open batch has undecided items; they return to the pool.
        extend: Continue, and keep those items open alongside the new ones.

    Raises:
        WorkspaceError: If there are no labels yet, or undecided items and not `partial`.
    """
    with workspace.locked():
        state = LoopState.read(workspace)
        current = state.open_batch
        if current is not None and not partial and not extend:
            if state.training is not None and state.training.last_decision == state.last_decision:
                return current  # this cycle has turned already
            waiting = state.undecided(current)
            raise WorkspaceError(
                f"Batch {current.number} has {counted(len(waiting), 'undecided item')}; review the"
                " rest, give it up with --partial, or keep it open with --extend."
            )
        workspace.required(workspace.fused, "propose")
        panel = Panel.of(state)
        state, student = train_if_new(state, panel, workspace.database)
        make_proposals(state, panel, student=student)
        state = up_to_date(state, panel, workspace.database)
        return make_batch(state, panel, workspace.database, extend=extend)
