"""What a command needs, brought up to date before it is used."""

from __future__ import annotations

from hilt.pipeline.proposing.costs import check_training_cost
from hilt.pipeline.proposing.embedding import load_embedder
from hilt.pipeline.proposing.outdated import outdated, outdated_student
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace


def up_to_date(workspace: Workspace) -> Panel:
    """Make the student and the fused proposals those of the present configuration.

    To be called before they, or anything that they rest on, are used. Labels that came since may
    still be unknown to them.

    Raises:
        WorkspaceError: If there are none yet, or something would cost much to make anew.
    """
    workspace.required(workspace.fused, "propose")
    proposals = Panel(workspace, load_embedder(workspace))
    for member in proposals.members:
        workspace.required(member.array, "propose")
    training = latest_training(workspace)
    student = None if training is None else outdated_student(proposals, training)
    if training is not None and student is not None:
        # here, because it loads what students are made of, and hardly ever is one trained
        from hilt.pipeline.training.train import train

        check_training_cost(workspace, student, training)
        workspace.progress.note(f"{student}. Trained anew now.")
        train(workspace)
    elif not outdated(proposals):
        return proposals
    propose(workspace)
    return Panel(workspace, proposals.embedder)
