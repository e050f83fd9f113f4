"""A copy of a student that works in any folder and on another machine."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hilt.errors import ModelError
from hilt.files import write_json
from hilt.pipeline.configuration.paths import is_path
from hilt.pipeline.students.saved import (
    EMBEDDER_FILES,
    MADE_BY,
    OUT_OF_FOLD,
    OWN_ENCODER,
    SavedStudent,
    placed,
    read_student,
)
from hilt.pipeline.workspace.student_seal import RECORD, STAMPS, seal
from hilt.proposers.base import EMBEDDERS
from hilt.proposers.models.encoder import (
    encoder_folder,
    quiet_loading,
    settings_checksum,
    weights_checksum,
)
from hilt.proposers.prompts import Prompts

SETTINGS = ("max_tokens", "prompt", "description_prompt")  # of an embedder, beside its files


def pack_student(source: Path, folder: Path, trust: Collection[str] = ()) -> SavedStudent:
    """Copy a student into a new folder, with the encoder of which it reads vectors, or its name.

    An encoder that is a folder of the user's comes along; one from the hub or from a package is
    named, with the checksum of its weights.

    Args:
        source: The folder of a student.
        folder: Where the copy goes.
        trust: As for `read_student`.

    Raises:
        ModelError: If the student cannot be read, or its encoder is gone or was changed since.
    """
    saved = read_student(source, "cpu", trust)
    private = shutil.ignore_patterns(OUT_OF_FOLD)  # what was said of single items
    shutil.copytree(source, folder, ignore=private)
    needed: dict[str, Any] = {"embedder": None, "embedder_weights": ""}
    if saved.student.reads_embeddings and saved.embedder is not None:
        needed = _pack_embedder(saved.embedder, saved.record.get("embedder_weights", ""), folder)
    own = (MADE_BY, STAMPS)  # paths and times, which mean nothing elsewhere
    about = {key: value for key, value in saved.record.items() if key not in own}
    sealed = seal(folder, saved.labels)
    _check_copied(saved, sealed["files"])
    record = {**about, **sealed, **needed}
    write_json(folder / RECORD, record)
    return replace(saved, embedder=placed(saved.record["embedder"], folder), record=record)


def _check_copied(saved: SavedStudent, copied: Mapping[str, str]) -> None:
    """Compare the files of a copy, which were all read, with those that were saved.

    Raises:
        ModelError: If one of them was damaged in a way that its length and time do not show.
    """
    for name, written in saved.record.get("files", {}).items():
        if copied.get(name, written) != written:
            raise ModelError(
                f"The student cannot be copied: its file {name} was changed, or is damaged; train"
                " it again."
            )


def _pack_embedder(embedder: dict[str, Any], trained_with: str, folder: Path) -> dict[str, Any]:
    """Say what a student needs to know of its embedder, and take its folder along if it has one.

    Raises:
        ModelError: If the folder is gone, or its weights are not those `trained_with`.
    """
    found = _folder_of(embedder)
    weights = "" if found is None else weights_checksum(found)
    if weights and trained_with and weights != trained_with:
        raise ModelError(
            f"The encoder {embedder['model']!r} was changed since the student was trained: its"
            f" weights had SHA-256 {trained_with}, and now have {weights}; restore the former"
            " version, or train again."
        )
    if found is None or not is_path(embedder["model"]):
        return {"embedder": embedder, "embedder_weights": weights or trained_with}
    copy = folder / OWN_ENCODER
    if not copy.exists():  # a packed student has it already
        _copy(embedder, found, copy)
    return {
        "embedder": {**embedder, "model": OWN_ENCODER, "revision": None},
        "embedder_weights": weights_checksum(copy),
        EMBEDDER_FILES: settings_checksum(copy),
    }


def _folder_of(embedder: dict[str, Any]) -> Path | None:
    """Find the files of an embedder; None where it is a class of the user's, or they are nowhere.

    Raises:
        ModelError: If it is a folder that is gone.
    """
    if EMBEDDERS.is_own(embedder.get("kind", "sentence_transformers")):
        return None
    model = embedder["model"]
    if is_path(model) and not Path(model).is_dir():
        raise ModelError(
            f"The student reads vectors of the encoder {model!r}, but there is no such folder;"
            " restore it, or train again with another `embedder.model`."
        )
    return encoder_folder(model, embedder.get("revision"))


def _copy(embedder: dict[str, Any], found: Path, copy: Path) -> None:
    """Take the files of an encoder along, with the settings that hilt gave it in them."""
    if any(embedder.get(setting) is not None for setting in SETTINGS):
        _save_as_used(embedder, copy)
    else:
        shutil.copytree(
            found, copy, ignore=shutil.ignore_patterns(".*"), ignore_dangling_symlinks=True
        )


def _save_as_used(embedder: dict[str, Any], copy: Path) -> None:
    """Save an encoder with the settings that hilt gave it, so that it is used with no others."""
    from hilt.pipeline.students.contrastive import open_encoder

    prompts = Prompts(embedder.get("prompt"), embedder.get("description_prompt"))
    model = open_encoder(embedder["model"], "cpu", embedder.get("max_tokens"), prompts=prompts)
    with quiet_loading():
        model.save_pretrained(str(copy), create_model_card=False)
