"""What a command needs, brought up to date before it is used."""

from __future__ import annotations

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.costs import check_training_cost
from hilt.pipeline.proposing.outdated import outdated, outdated_student
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import make_proposals
from hilt.pipeline.workspace.database import Database


def up_to_date(state: LoopState, panel: Panel, database: Database) -> LoopState:
    """Make the student and the fused proposals those of the present configuration.

    To be called, under the lock, before they, or anything that they rest on, are used. Labels that
    came since may still be unknown to them.

    Args:
        state: As it is.
        panel: The proposers, which are asked anew where they must.
        database: Where a training is stored.

    Returns:
        The state after it.

    Raises:
        WorkspaceError: If there are no proposals yet, or something would cost much to make anew.
    """
    files, made = state.files, None
    files.required(files.fused, "propose")
    for member in panel.members:
        files.required(member.array, "propose")
    training = state.training
    student = None if training is None else outdated_student(panel, training)
    if training is not None and student is not None:
        # here, because it loads what students are made of, and hardly ever is one trained
        from hilt.pipeline.training.train import train_if_new

        check_training_cost(files.folder, student, training)
        files.progress.note(f"{student}. It is trained again now.")
        state, made = train_if_new(state, panel, database)
    elif not outdated(panel):
        return state
    make_proposals(state, panel, student=made)
    return state
