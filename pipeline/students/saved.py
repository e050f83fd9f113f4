"""A student on disk: a folder with its weights and a `student.json` that says what it is."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError

from hilt.command_line import command_line
from hilt.errors import ModelError, OutputError
from hilt.files import let_umask_decide, read_object, sentences, write_json
from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.own_code import shortened
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.students.base import Student
from hilt.pipeline.students.own import OwnStudent
from hilt.pipeline.students.record import (
    checked_embedder,
    checked_kind,
    checked_labels,
    checked_medium,
    checked_task,
)
from hilt.pipeline.workspace.student_seal import FORMAT, RECORD, STAMPS, find_fault, seal, stamps
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Floats, Integers

OUT_OF_FOLD = "out_of_fold.npz"
MADE_BY = "made_by"  # in the record: what of the configuration made it
TASK = "task"  # in the record: the section of the configuration that says what it predicts
MEDIUM = "medium"  # in the record: the section of the configuration that says what it labels
EMBEDDER_FILES = "embedder_files"  # in the record: the checksum of those beside its weights
OWN_ENCODER = "./encoder"  # the embedder's model, where a copy of it is in the student's folder

UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, SafetensorError)
TORN = (EOFError, BadZipFile, RuntimeError, OverflowError, struct.error, zlib.error)  # an archive


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What students that did not learn some items predict for them.

    Attributes:
        indices: Shape (n,), which items of the pool they are.
        targets: What people said of them, as the task encodes it.
        said: What those students predict.
    """

    indices: Integers
    targets: Rows
    said: Rows

    def take(self, places: Integers) -> OutOfFold:
        """Give some of the items, in their order."""
        return OutOfFold(self.indices[places], self.targets.take(places), self.said.take(places))


@dataclass(frozen=True, slots=True)
class SavedStudent:
    """A student with what it needs to be used on new items.

    Attributes:
        student: The model.
        task: What it predicts.
        embedder: The `embedder` section that made the vectors it reads, with a path that holds
            on this machine; None where it reads none.
        record: All of `student.json`.
        medium: What it labels.
    """

    student: Student
    task: Task
    embedder: dict[str, Any] | None
    record: dict[str, Any]
    medium: Medium = TEXT

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its labels, in their order."""
        return self.task.labels


def save_student(
    student: Student,
    folder: Path,
    labels: tuple[str, ...],
    embedder: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    embedder_weights: str = "",
    out_of_fold: OutOfFold | None = None,
    tested: Rows | None = None,
) -> None:
    """Write a student into a new folder that is never seen half-written.

    Args:
        student: The model.
        folder: Where it goes; what a killed training left there is replaced.
        labels: The names of its labels.
        embedder: The `embedder` section of the configuration.
        about: Anything else that should be known of it.
        embedder_weights: The checksum of the embedder's weights, where it is known.
        out_of_fold: The items that it learnt from, as students predict them that did not.
        tested: What the student predicts for the test set.

    Raises:
        OutputError: If the disk does not take it; then nothing is left of it.
    """
    temporary = folder.with_name(folder.name + ".partial")
    try:
        with sentences(folder, "correct that, and run the same command again"):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            _save(student, temporary, labels)
            if out_of_fold is not None:
                _save_out_of_fold(temporary, out_of_fold, tested)
            sealed = seal(temporary, labels)
            record = {
                "kind": student.kind,
                **sealed,
                STAMPS: stamps(temporary, sealed["files"]),
                "embedder": dict(embedder),
                "embedder_weights": embedder_weights,
                **about,
            }
            write_json(temporary / RECORD, record)
            let_umask_decide(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _save(student: Student, folder: Path, labels: tuple[str, ...]) -> None:
    try:
        student.save(folder, labels)
    except SafetensorError as error:  # what the operating system says comes so from its writer
        raise OutputError(
            f"{folder} cannot be written: {error}; free space on its disk, or correct its"
            " permissions, and run the same command again."
        ) from None


def _save_out_of_fold(folder: Path, out_of_fold: OutOfFold, tested: Rows | None) -> None:
    said, targets = out_of_fold.said, out_of_fold.targets
    positions = targets.values.argmax(axis=1)
    hot = np.eye(targets.values.shape[1], dtype=np.float32)[positions]
    arrays: dict[str, Any] = {
        "indices": out_of_fold.indices,
        "positions": positions,
        "probabilities": said.values.astype(np.float32),
    }
    if not np.array_equal(targets.values, hot):
        arrays["targets"] = targets.values
    if said.offsets is not None:
        arrays["offsets"] = said.offsets
    elif tested is not None:
        arrays |= _likeliest(tested.values)
    np.savez(folder / OUT_OF_FOLD, **arrays)


def load_out_of_fold(folder: Path) -> OutOfFold | None:
    """Read what `save_student` was given as `out_of_fold`; None if it was given nothing.

    Args:
        folder: Of the student, in the folder `students` of its workspace.

    Raises:
        ModelError: If it is damaged.
    """
    saved = _read_arrays(folder / OUT_OF_FOLD)
    if saved is None:
        return None
    said = saved["probabilities"]
    targets = saved.get("targets")
    if targets is None:
        targets = np.eye(said.shape[1], dtype=np.float32)[saved["positions"]]
    offsets = saved.get("offsets")
    return OutOfFold(saved["indices"], Rows(targets, offsets), Rows(said, offsets))


def why_not_out_of_fold(folder: Path) -> str | None:
    """Say in a sentence why `load_out_of_fold` would be refused; None where it would not."""
    try:
        load_out_of_fold(folder)
    except ModelError as error:
        return str(error)
    return None


def load_tested(folder: Path) -> tuple[Integers, Floats] | None:
    """Read what a student predicts for the test set: positions of labels, and probabilities.

    None where there was no test set, or an older hilt trained the student.

    Raises:
        ModelError: If it is damaged.
    """
    saved = _read_arrays(folder / OUT_OF_FOLD)
    if saved is None or "test_predicted" not in saved:
        return None
    return saved["test_predicted"], saved["test_probability"]


def _read_arrays(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file) as saved:
            arrays = dict(saved)
        if {"indices", "positions", "probabilities"} <= set(arrays):
            return arrays
    except (*UNREADABLE, *TORN):
        pass
    line = command_line("train", path.parents[2])
    raise ModelError(f"{path} is damaged; train the student again with `{line}`.")


def _likeliest(probabilities: Floats) -> dict[str, Any]:
    """Keep of predictions what a report shows: the likeliest label and its probability."""
    return {
        "test_predicted": probabilities.argmax(axis=1).astype(np.int32),
        "test_probability": probabilities.max(axis=1).astype(np.float32),
    }


def read_student(folder: Path, device: str, trust: Collection[str] = ()) -> SavedStudent:
    """Read what `save_student` wrote, here or in an older hilt; its embedder is not opened.

    Args:
        folder: Where it is.
        device: Where it runs.
        trust: Names of classes, `package.module:Class`, that its record may name though they
            are neither hilt's nor registered by an installed package.

    Raises:
        ModelError: If the folder holds no student, a damaged one, one that was changed since it
            was saved, or one of a newer hilt.
        ExtensionError: If a class of the user's own fails to load it.
    """
    from hilt.proposers.models.encoder import resolve_device

    record = read_object(folder / RECORD)
    if record is None or not isinstance(record.get("format"), int) or "embedder" not in record:
        raise ModelError(
            f"{folder} contains no student: it has no readable {RECORD}; give a folder such as"
            " WORKSPACE/students/cycle-0001, or the `student` of a release."
        )
    if record["format"] > FORMAT:
        raise ModelError(f"{folder} was written by a newer hilt; upgrade hilt.")
    labels = checked_labels(record.get("labels"), folder)
    kind = checked_kind(STUDENTS, record.get("kind"), trust, f"`kind` in {folder / RECORD}")
    embedder = checked_embedder(record["embedder"], trust, folder / RECORD)
    medium = checked_medium(record.get(MEDIUM), trust, folder / RECORD)
    task = checked_task(record.get(TASK), labels, trust, folder / RECORD)
    fault = find_fault(folder)
    if fault is not None:
        raise ModelError(
            f"The student in {folder} has changed since it was saved: {fault}; restore a copy of"
            " it, or train again."
        )
    device = resolve_device(device)
    try:
        student = load_kind(kind, folder, device, task)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, SafetensorError) as error:
        reason = shortened(str(error))
        raise ModelError(
            f"The student in {folder} cannot be read: {reason}; train again."
        ) from error
    return SavedStudent(student, task, placed(embedder, folder), record, medium)


def load_kind(kind: str, folder: Path, device: str, task: Task) -> Student:
    """Read what a student of a kind wrote with `save`."""
    if STUDENTS.is_own(kind):
        return OwnStudent.load(kind, folder, device, task)
    student: Student = STUDENTS.load(kind).load(folder, device)
    return student


def placed(embedder: dict[str, Any] | None, folder: Path) -> dict[str, Any] | None:
    """Find the encoder that a released student brings in its own folder."""
    if embedder is None or embedder.get("model") != OWN_ENCODER:
        return embedder
    return {**embedder, "model": str((folder / OWN_ENCODER).resolve())}
