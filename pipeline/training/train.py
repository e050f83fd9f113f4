"""The student, trained on what people said, and what that came to."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.making import ask, renew
from hilt.pipeline.proposing.outdated import student_maker
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.students.base import Student, predict_rows
from hilt.pipeline.students.saved import (
    EMBEDDER_FILES,
    MADE_BY,
    MEDIUM,
    TASK,
    OutOfFold,
    save_student,
)
from hilt.pipeline.training.cross_validation import train_student
from hilt.pipeline.training.gathering import gather_data, labelled_test
from hilt.pipeline.training.headline import told_in_full
from hilt.pipeline.training.measure_gain import measure_advantage
from hilt.pipeline.training.summarising import Tested, summarise_training
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.base import Checked
from hilt.proposers.models.encoder import resolve_device
from hilt.values import plain


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training came to.

    Attributes:
        cycle: Its number, from 1.
        new: Whether it was trained now; otherwise nothing has changed since.
        summary: Labels, kind of student, measures; what `hilt status` shows.
    """

    cycle: int
    new: bool
    summary: TrainingSummary


def train(workspace: Workspace) -> TrainResult:
    """Train the student on all labels that people gave.

    Not again when nothing is new, unless the last student's folder is gone. What it learns from is
    made anew where another configuration made it.

    Raises:
        WorkspaceError: If there are no proposals or no labels yet, or something would cost much to
            make anew.
    """
    with workspace.locked():
        workspace.required(workspace.fused, "propose")
        before = LoopState.read(workspace)
        state, _ = train_if_new(before, Panel.of(before), workspace.database)
        assert state.training is not None
        summary = told_in_full(state, state.training)
        return TrainResult(state.training.cycle, state is not before, summary)


def train_if_new(
    state: LoopState, panel: Panel, database: Database
) -> tuple[LoopState, Student | None]:
    """Do what `train` does, under its lock.

    Returns:
        The state after it, and the new student; the same state and none where nothing is new.
    """
    files = state.files
    if not panel.labelled:
        command = "review" if state.open_batch is not None else "select"
        raise WorkspaceError(
            f"{files.folder} has no labels yet; review a batch first"
            f" (`{command_line(command, files.folder)}`)."
        )
    renew(panel)
    made_of, last = _made_of(panel), state.training
    if last is not None and last.fingerprint == made_of and files.has_student(last.cycle):
        return state, None
    for member in panel.members:
        if member.learns:  # before the student does, for it is weighed by what they say
            ask(panel, member)
    row, student = _train(state, panel, 1 if last is None else last.cycle + 1, made_of)
    database.add_training(row)
    return state.after_training(row), student


def _made_of(panel: Panel) -> str:
    """Hash what makes a student; the embeddings are among what makes the proposals."""
    config = panel.files.config
    return fingerprint(
        {
            "labels": [[each.index, plain(each.value), each.audit] for each in panel.labelled],
            "student": config.student.model_dump(),
            "proposals": panel.makers,
            "seed": config.seed,
        }
    )


def _train(
    state: LoopState, panel: Panel, number: int, made_of: str
) -> tuple[TrainingRow, Student]:
    """Train the student of a cycle, measure it, and save it."""
    files, config, labelled = state.files, state.files.config, panel.labelled
    started = time.monotonic()
    rng = generator(config.seed, Stream.TRAINING, number)
    indices = np.array([each.index for each in labelled])
    data = gather_data(panel, indices, [each.value or () for each in labelled], rng)
    data = replace(data, audit=np.flatnonzero([each.audit for each in labelled]))
    training = train_student(
        data,
        config.student,
        encoder=config.embedder.source,
        device=resolve_device(files.device),
        rng=rng,
        progress=files.progress,
        medium=files.medium.name,
    )
    tested = None
    if files.test is not None:
        items, true = labelled_test(files)
        tested = Tested(predict_rows(training.student, items, files.task), true, items.contents)
    draws = generator(config.seed, Stream.ADVANTAGE, number)
    summary = summarise_training(
        state,
        panel,
        training,
        data,
        indices,
        tested=tested,
        advantage=measure_advantage(data, config.student, draws),
        started=started,
    )
    embedder = panel.embedder
    save_student(
        training.student,
        files.student_folder(number),
        config.label_names,
        {"kind": config.embedder.kind, **config.embedder.arguments},
        {
            "cycle": number,
            "fingerprint": made_of,
            TASK: config.task.model_dump(mode="json"),
            MEDIUM: config.medium.model_dump(mode="json"),
            MADE_BY: student_maker(panel),
            EMBEDDER_FILES: panel.embeddings["embedder"].get("files", ""),
            "training": summary.to_dict(),
        },
        embedder_weights=embedder.checksum if isinstance(embedder, Checked) else "",
        out_of_fold=OutOfFold(indices, data.targets.rows, training.out_of_fold),
        tested=None if tested is None else tested.said,
    )
    row = TrainingRow(
        cycle=number,
        fingerprint=made_of,
        last_decision=state.last_decision,
        summary=summary,
        created_at=datetime.now(UTC),
    )
    return row, training.student
