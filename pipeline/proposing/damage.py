"""Which files of a workspace are damaged, as far as it shows without reading all of them.

What is listed here one command makes again; nothing else of the workspace hinders it meanwhile.
"""

from __future__ import annotations

from hilt.command_line import command_line
from hilt.errors import ConfigError
from hilt.files import read_object
from hilt.pipeline.proposing.members import proposer_names
from hilt.pipeline.students.saved import why_not_out_of_fold
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.student_seal import RECORD
from hilt.pipeline.workspace.tables import TrainingRow


def damaged_arrays(files: WorkspaceFiles) -> list[str]:
    """Say in clauses what is wrong with the arrays that `propose` makes and would make again."""
    return [fault for file in _arrays(files) if (fault := file.find_fault()) is not None]


def say_damaged(files: WorkspaceFiles, training: TrainingRow | None) -> tuple[str, ...]:
    """Say in sentences what is damaged.

    Args:
        files: Where to look.
        training: The latest one, whose student is looked at.
    """
    sentences = [f"{each}." for each in damaged_arrays(files)]
    fault = None if training is None else _why_train_again(files, training)
    return (*sentences, *([] if fault is None else [fault]))


def say_missing(files: WorkspaceFiles) -> str:
    """Say in a sentence which array of those that are fused is gone; nothing where none is."""
    if "proposals" not in (files.fused.maker() or {}):  # a rehearsal's rest on none
        return ""
    arrays = [files.embeddings, *map(files.proposal, _proposing(files))]
    missing = next((file for file in arrays if file.maker() is None), None)
    return "" if missing is None else f"{missing.path}, or the JSON beside it, is gone."


def _why_train_again(files: WorkspaceFiles, training: TrainingRow) -> str | None:
    """Say in a sentence what of a student is gone or damaged; its weights are not read."""
    folder = files.student_folder(training.cycle)
    if read_object(folder / RECORD) is None:
        line = command_line("train", files.folder)
        return f"{folder / RECORD} is gone or damaged; train the student again with `{line}`."
    return why_not_out_of_fold(folder)


def _arrays(files: WorkspaceFiles) -> list[ArrayFile]:
    """List the arrays that the present configuration uses."""
    arrays = [files.embeddings, files.neighbours, files.cosines, files.fused]
    if files.config.duplicates.near:
        arrays.append(files.near_duplicates)
    if files.test is not None:
        arrays.append(files.test_embeddings)
    return arrays + [files.proposal(name) for name in _proposing(files)]


def _proposing(files: WorkspaceFiles) -> list[str]:
    """Name those whose proposals are fused, the student among them where it is."""
    student = (files.fused.maker() or {}).get("student")
    try:
        names = proposer_names(files)
    except ConfigError:  # of two of one name; `propose` says so
        names = []
    return names if student is None else [*names, "student"]
