"""Which files of a workspace are damaged, as far as it shows without reading all of them.

What is listed here one command makes again; nothing else of the workspace hinders it meanwhile.
"""

from __future__ import annotations

from hilt.errors import ConfigError
from hilt.pipeline.arrays import ArrayFile
from hilt.pipeline.proposals import proposer_names
from hilt.pipeline.students.saved import why_not_out_of_fold
from hilt.pipeline.tables import TrainingRow
from hilt.pipeline.workspace import Workspace


def damaged_arrays(workspace: Workspace) -> list[str]:
    """Say in clauses what is wrong with the arrays that `propose` makes and would make again."""
    return [fault for file in _arrays(workspace) if (fault := file.find_fault()) is not None]


def say_damaged(workspace: Workspace, training: TrainingRow | None) -> tuple[str, ...]:
    """Say in sentences what is damaged.

    Args:
        workspace: Where to look.
        training: The latest one, whose student is looked at.
    """
    folder = None if training is None else workspace.student_folder(training.cycle)
    fault = None if folder is None else why_not_out_of_fold(folder)
    return (
        *(f"{each}." for each in damaged_arrays(workspace)),
        *([] if fault is None else [fault]),
    )


def _arrays(workspace: Workspace) -> list[ArrayFile]:
    """List the arrays that the present configuration uses."""
    files = [workspace.embeddings, workspace.neighbours, workspace.cosines, workspace.fused]
    if workspace.config.duplicates.near:
        files.append(workspace.near_duplicates)
    if workspace.test is not None:
        files.append(workspace.test_embeddings)
    return files + [workspace.proposal(name) for name in _proposing(workspace)]


def _proposing(workspace: Workspace) -> list[str]:
    """Name those whose proposals are fused, the student among them where it is."""
    student = (workspace.fused.maker() or {}).get("student")
    try:
        names = proposer_names(workspace)
    except ConfigError:  # of two of one name; `propose` says so
        names = []
    return names if student is None else [*names, "student"]
