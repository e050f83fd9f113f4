"""A trained student in Python: texts in, labels and probabilities out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.command_line import command_line
from hilt.errors import DataError, ModelError, WorkspaceError
from hilt.figures import counted
from hilt.media.base import Medium
from hilt.own_code import shortened
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.outdated import read_outdated
from hilt.pipeline.proposing.work import PredictWork
from hilt.pipeline.releasing.columns.base import column_of
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.students.saved import EMBEDDER_FILES, SavedStudent, read_student
from hilt.pipeline.workspace.student_seal import RECORD
from hilt.pipeline.workspace.workspace import Workspace, is_workspace, open_workspace
from hilt.proposers.base import Checked, Embedder
from hilt.proposers.guarded import make_embedder
from hilt.proposers.models.encoder import settings_checksum
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Content, Floats, Items, Value

BLOCK_TEXTS = 2048
RELEASED = "student"  # the folder of a release in which the student is


@dataclass(frozen=True, slots=True)
class LoadedStudent:
    """A student that is ready to label texts; `load_student` makes it."""

    _saved: SavedStudent
    _embedder: Embedder | None
    _device: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its labels, in the order of the columns of `predict_proba`."""
        return self._saved.labels

    @property
    def kind(self) -> str:
        """What it is: `linear`, `contrastive`, `transformer` or `blend`."""
        return self._saved.student.kind

    def __repr__(self) -> str:
        return f"<hilt student: {self.kind}, {counted(len(self.labels), 'label')}>"

    @property
    def medium(self) -> Medium:
        """What it labels."""
        return self._saved.medium

    @property
    def task(self) -> Task:
        """What its answers are."""
        return self._saved.task

    def predict(self, texts: Sequence[Any]) -> list[Any]:
        """Say the likeliest answer for each text.

        Args:
            texts: n texts; for a medium with several columns n tuples of texts.

        Returns:
            n answers, as they stand in a released dataset: of the task `single` names of labels.

        Raises:
            DataError: If `texts` is one text, or holds something else than texts.
        """
        contents = _contents(texts, self.medium)
        cell = column_of(self.task).cell
        return [cell(value) for value in answers_of(self._predicted(contents), contents, self.task)]

    def predict_proba(self, texts: Sequence[Any]) -> Floats:
        """Say how likely each label is for each text.

        Args:
            texts: n texts; for a medium with several columns n tuples of texts.

        Returns:
            Shape (n, n_labels), float32, in the order of `labels`; rows sum to 1. Of a task of your
            own, the rows as it lays them out: shape (n_rows, n_columns), of which `predict_rows`
            says which are whose.

        Raises:
            DataError: If `texts` is one text, or holds something else than texts.
        """
        return self.predict_rows(texts).values

    def predict_rows(self, texts: Sequence[Any]) -> Rows:
        """Say what `predict_proba` says, with which rows are those of which text.

        Args:
            texts: n texts; for a medium with several columns n tuples of texts.

        Returns:
            Rows of n items.

        Raises:
            DataError: If `texts` is one text, or holds something else than texts.
        """
        return self._predicted(_contents(texts, self.medium))

    def _predicted(self, contents: list[Content]) -> Rows:
        rows_of = self.work.open()
        parts = [rows_of(as_items(contents[block])) for block in blocks(len(contents), BLOCK_TEXTS)]
        empty = np.empty((0, self.task.rows.n_columns), dtype=np.float32)
        return Rows(np.concatenate([empty, *parts]), self.task.rows.offsets(contents))

    @property
    def work(self) -> PredictWork:
        """What is done to every new item."""
        return PredictWork(self._saved.student, self._saved.task, self._device, self._embedder)


def as_items(contents: list[Content]) -> Items:
    """Make items of contents that have no ids; what is wrong with one is said by its place."""
    return Items([str(place) for place in range(len(contents))], contents)


def answers_of(said: Rows, contents: Sequence[Content], task: Task) -> list[Value]:
    """Give the likeliest answer about each of some items.

    Args:
        said: What a student says of n items.
        contents: The items.
        task: What the answers are.
    """
    return [task.rows.decode(said.of(place), content) for place, content in enumerate(contents)]


AnyStudent = Path | str | Workspace | SavedStudent | LoadedStudent


def load_student(
    student: AnyStudent, *, device: str = "auto", trust: Collection[str] = ()
) -> LoadedStudent:
    """Load a trained student, with the encoder that it needs.

        student = hilt.load_student("out/student")
        student.predict(["A text.", "Another."])  # two names of labels
        student.predict_proba(["A text.", "Another."])  # shape (2, n_labels)

    Args:
        student: The folder of a student, of a release or of a workspace (its newest student), or
            a workspace; one that is loaded already is given back.
        device: Where it runs: `auto`, `cpu`, `cuda` or `mps`.
        trust: Classes, `package.module:Class`, that the student's files may name and have run.
            What hilt brings, what an installed package registers and what the configuration of
            the workspace names needs no mention.

    Raises:
        ModelError: If there is no student, or it cannot be loaded, or its encoder is missing or
            not the one that it was trained with.
        WorkspaceError: If the workspace has no student yet, or one of another configuration.
    """
    if isinstance(student, LoadedStudent):
        return student
    saved = open_saved(student, device, trust)
    return LoadedStudent(saved, open_embedder(saved, device), device)


def open_saved(student: AnyStudent, device: str, trust: Collection[str] = ()) -> SavedStudent:
    """Read a student from wherever it is, without its encoder; see `load_student`."""
    if isinstance(student, LoadedStudent):
        return student._saved
    if isinstance(student, SavedStudent):
        return student
    if isinstance(student, Path | str) and is_workspace(Path(student)):
        student = open_workspace(student)
    if isinstance(student, Workspace):
        return read_student(_newest(LoopState.read(student)), device, (*trust, *student.trusted))
    if not isinstance(student, Path | str):
        raise ModelError(
            f"A student is a folder, but got a {type(student).__name__}; give its path."
        )
    return read_student(_folder_of(Path(student)), device, trust)


def _folder_of(folder: Path) -> Path:
    """Find the student in the folder of a release, or of the student itself."""
    released = folder / RELEASED
    return released if (released / RECORD).exists() else folder


def _newest(state: LoopState) -> Path:
    files = state.files
    if state.training is None:
        raise WorkspaceError(f"{files.folder} has no student yet; run `{next_step(state)}`.")
    folder = files.saved_student(state.training.cycle)
    _, student = read_outdated(state)
    if student is not None:
        line = command_line("train", files.folder)
        raise WorkspaceError(
            f"{student}; train it again with `{line}`, or use it unchanged: {folder}."
        )
    return folder


def open_embedder(saved: SavedStudent, device: str) -> Embedder | None:
    """Open what a student reads the vectors of, if it does, and make sure that it is the same.

    Raises:
        ModelError: If its weights are not those that the student was trained with.
    """
    if not saved.student.reads_embeddings or saved.embedder is None:
        return None
    settings = {name: value for name, value in saved.embedder.items() if name != "kind"}
    embedder = make_embedder(saved.embedder["kind"], device, settings)
    trained_with = saved.record.get("embedder_weights")
    found = embedder.checksum if trained_with and isinstance(embedder, Checked) else ""
    if found and found != trained_with:
        raise ModelError(
            "The student was trained with another version of the encoder"
            f" {settings.get('model')!r}: its weights had SHA-256 {trained_with}, and now have"
            f" {found}; restore the former version, or train again."
        )
    _check_files(saved, str(settings.get("model")))
    return embedder


def _check_files(saved: SavedStudent, model: str) -> None:
    """Make sure that a folder has the tokenizer, pooling and settings that it had at the training.

    Raises:
        ModelError: If it has not.
    """
    trained_with = saved.record.get(EMBEDDER_FILES)
    if trained_with and Path(model).is_dir() and settings_checksum(Path(model)) != trained_with:
        raise ModelError(
            f"The encoder {model!r} was changed since the student was trained: some of its"
            " tokenizer, pooling and settings are different now; restore the former version,"
            " or train again."
        )


def _contents(texts: Sequence[Any], medium: Medium) -> list[Content]:
    columns = medium.columns
    if len(columns) == 1:
        return list(map(medium.read, _checked(texts)))
    listed = list(texts)
    for place, values in enumerate(listed):
        whole = isinstance(values, tuple | list) and len(values) == len(columns)
        if not whole or not all(isinstance(value, str) for value in values):
            raise DataError(
                f"texts[{place}] is {shortened(repr(values), 80)}, which is not a tuple of"
                f" {len(columns)} texts: {', '.join(columns)}."
            )
    return [medium.read(*values) for values in listed]


def _checked(texts: Sequence[Any]) -> list[str]:
    if isinstance(texts, str | bytes):
        raise DataError("A student takes a list of texts, but got one text; write `[text]`.")
    listed = list(texts)
    for place, text in enumerate(listed):
        if not isinstance(text, str):
            raise DataError(
                f"texts[{place}] is {text!r}, which is not a text; leave it out, or replace it by"
                " a text."
            )
    return listed
