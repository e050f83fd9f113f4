"""A student on disk: a folder with its weights and a `student.json` that says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from hilt.errors import ModelError
from hilt.files import write_json
from hilt.pipeline.students.base import STUDENTS, Student
from hilt.types import Floats, Integers

RECORD = "student.json"
OUT_OF_FOLD = "out_of_fold.npz"
OWN_ENCODER = "./encoder"  # the embedder's model, where a copy of it is in the student's folder
FORMAT = 2  # 1 had the path of the embedder as the configuration wrote it, and no checksum

OutOfFold = tuple[Integers, Integers, Floats]


@dataclass(frozen=True, slots=True)
class SavedStudent:
    """A student with what it needs to be used on new items.

    Attributes:
        student: The model.
        labels: The names of its labels, in the order of its columns.
        embedder: The `embedder` section that made the vectors it reads, with a path that holds
            on this machine; None where it reads none.
        record: All of `student.json`.
    """

    student: Student
    labels: tuple[str, ...]
    embedder: dict[str, Any] | None
    record: dict[str, Any]


def save_student(
    student: Student,
    folder: Path,
    labels: tuple[str, ...],
    embedder: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    embedder_weights: str = "",
    out_of_fold: OutOfFold | None = None,
    tested: Floats | None = None,
) -> None:
    """Write a student into a new folder that is never seen half-written.

    Args:
        student: The model.
        folder: Where it goes; what a killed training left there is replaced.
        labels: The names of its labels.
        embedder: The `embedder` section of the configuration.
        about: Anything else that should be known of it.
        embedder_weights: The checksum of the embedder's weights, where it is known.
        out_of_fold: The items that it learnt from: their indices, the positions of their labels,
            and what students that did not see them predict.
        tested: Shape (n_test, n_labels), what the student predicts for the test set.
    """
    temporary = folder.with_name(folder.name + ".partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    student.save(temporary, labels)
    record = {
        "format": FORMAT,
        "kind": student.kind,
        "labels": list(labels),
        "embedder": dict(embedder),
        "embedder_weights": embedder_weights,
        **about,
    }
    write_json(temporary / RECORD, record)
    if out_of_fold is not None:
        indices, positions, probabilities = out_of_fold
        np.savez(
            temporary / OUT_OF_FOLD,
            indices=indices,
            positions=positions,
            probabilities=probabilities.astype(np.float32),
            **({} if tested is None else _likeliest(tested)),
        )
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def load_out_of_fold(folder: Path) -> OutOfFold | None:
    """Read what `save_student` was given as `out_of_fold`; None if it was given nothing."""
    path = folder / OUT_OF_FOLD
    if not path.exists():
        return None
    with np.load(path) as saved:
        return saved["indices"], saved["positions"], saved["probabilities"]


def load_tested(folder: Path) -> tuple[Integers, Floats] | None:
    """Read what a student predicts for the test set: positions of labels, and probabilities.

    None where there was no test set, or an older hilt trained the student.
    """
    path = folder / OUT_OF_FOLD
    if not path.exists():
        return None
    with np.load(path) as saved:
        if "test_predicted" not in saved:
            return None
        return saved["test_predicted"], saved["test_probability"]


def _likeliest(probabilities: Floats) -> dict[str, Any]:
    """Keep of predictions what a report shows: the likeliest label and its probability."""
    return {
        "test_predicted": probabilities.argmax(axis=1).astype(np.int32),
        "test_probability": probabilities.max(axis=1).astype(np.float32),
    }


def read_student(folder: Path, device: str) -> SavedStudent:
    """Read what `save_student` wrote, here or in an older hilt; its embedder is not opened.

    Raises:
        ModelError: If the folder holds no student, a damaged one, or one of a newer hilt.
    """
    from hilt.proposers.encoder import resolve_device

    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        newer = record["format"] > FORMAT
        kind, labels, embedder = record["kind"], tuple(record["labels"]), record["embedder"]
    except (OSError, ValueError, TypeError, LookupError):
        raise ModelError(
            f"{folder} holds no student: it has no readable {RECORD}; give a folder such as"
            " WORKSPACE/students/cycle-0001, or the `student` of a release."
        ) from None
    if newer:
        raise ModelError(f"{folder} was written by a newer hilt; upgrade hilt.")
    build, device = STUDENTS.load(kind), resolve_device(device)
    try:
        student = build.load(folder, device)
    except (OSError, ValueError, LookupError, SafetensorError) as error:
        raise ModelError(
            f"The student in {folder} cannot be read: {error}; train again."
        ) from error
    return SavedStudent(student, labels, _placed(embedder, folder), record)


def _placed(embedder: dict[str, Any] | None, folder: Path) -> dict[str, Any] | None:
    """Find the encoder that a released student brings in its own folder."""
    if embedder is None or embedder.get("model") != OWN_ENCODER:
        return embedder
    return {**embedder, "model": str((folder / OWN_ENCODER).resolve())}
