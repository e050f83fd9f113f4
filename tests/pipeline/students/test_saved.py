"""What a saved student must be, to be used again."""

import json
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hilt.errors import HiltError, ModelError, OutputError
from hilt.pipeline.releasing.packing import pack_student
from hilt.pipeline.students.base import predict_rows
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.saved import (
    OutOfFold,
    load_out_of_fold,
    read_student,
    save_student,
    why_not_out_of_fold,
)
from hilt.pipeline.workspace import student_seal
from hilt.pipeline.workspace.student_seal import find_fault
from hilt.rows import Rows
from hilt.tasks.categorical import one_hot
from hilt.tasks.single import Single
from hilt.types import Items

LABELS = ("animals", "food", "sport")
EMBEDDER = {"kind": "sentence_transformers", "model": "me/encoder"}
LINEAR = LinearStudent(np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3))
BLEND = BlendedStudent({"linear": LINEAR}, (0.7,), 1.5)
FOUR = Items(["a"], ["text"], np.ones((1, 4), dtype=np.float32))

Change = Callable[[dict[str, Any]], object]
Spoil = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path / "student", BLEND)


def saved(folder: Path, student: LinearStudent | BlendedStudent, *, sealed: bool = True) -> Path:
    said = Rows(np.full((2, 3), 1 / 3))
    out_of_fold = OutOfFold(np.arange(2), one_hot(np.arange(2), 3).rows, said)
    save_student(student, folder, LABELS, EMBEDDER, {"cycle": 1}, out_of_fold=out_of_fold)
    if not sealed:
        edit(lambda record: [record.pop(name) for name in ("files", "checksum")])(folder)
        edit(lambda record: record.update(format=2))(folder)
    return folder


def edit(change: Change, name: str = "student.json") -> Spoil:
    def spoil(folder: Path) -> None:
        value = json.loads((folder / name).read_text())
        change(value)
        (folder / name).write_text(json.dumps(value))

    return spoil


def weights(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "model.safetensors"
        path = path if path.exists() else folder / "linear" / "model.safetensors"
        tensors = change(load_file(path))
        path.unlink()
        save_file(tensors, path)

    return spoil


def narrowed(tensors: dict[str, Any]) -> dict[str, Any]:
    return {**tensors, "weight": tensors["weight"][:, :2].copy()}


def cut(folder: Path) -> None:
    path = next(folder.rglob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-3])


WEIGHTS: dict[str, Spoil] = {
    "cut": cut,
    "emptied": lambda folder: next(folder.rglob("*.safetensors")).write_bytes(b""),
    "gone": lambda folder: next(folder.rglob("*.safetensors")).unlink(),
    "NaN": weights(lambda tensors: {key: value * np.nan for key, value in tensors.items()}),
    "infinite": weights(lambda tensors: {**tensors, "bias": tensors["bias"] + np.inf}),
    "whole numbers": weights(lambda t: {k: v.astype(np.int64) for k, v in t.items()}),
    "narrow": weights(narrowed),
    "a longer bias": weights(lambda t: {**t, "bias": t["bias"].repeat(2)}),
    "other names": weights(lambda tensors: {"a": tensors["bias"]}),
    "another shape": weights(lambda tensors: {**tensors, "weight": tensors["bias"]}),
}
RECORD: dict[str, tuple[Spoil, str]] = {
    "fewer labels": (edit(lambda r: r["labels"].pop()), "labels?|shape"),
    "more labels": (edit(lambda r: r["labels"].append("x")), "labels?|shape"),
    "a label twice": (edit(lambda r: r.update(labels=["a", "a", "b"])), "different labels"),
    "labels in one text": (edit(lambda r: r.update(labels="abc")), "different labels .* but 'abc'"),
    "labels that are numbers": (edit(lambda r: r.update(labels=[1, 2, 3])), "different labels"),
    "no labels": (edit(lambda r: r.update(labels=[])), "different labels"),
    "kind gone": (edit(lambda r: r.pop("kind")), "`kind` in .* is None, which is not a student"),
    "kind unknown": (edit(lambda r: r.update(kind="lineer")), "Did you mean: linear"),
    "kind a list": (
        edit(lambda r: r.update(kind=["linear"])),
        r"\['linear'\], which is not a stud",
    ),
    "kind a module": (edit(lambda r: r.update(kind="spoil:Me")), "not run; .* --trust spoil:Me"),
    "embedder gone": (edit(lambda r: r.pop("embedder")), "no readable student.json"),
    "embedder a list": (edit(lambda r: r.update(embedder=[])), "`embedder` in .* is not a section"),
    "embedder unknown": (edit(lambda r: r["embedder"].update(speed=3)), r"`embedder\.speed`"),
    "embedder a number": (edit(lambda r: r["embedder"].update(model=5)), r"`embedder\.model`"),
    "embedder a module": (
        edit(lambda r: r["embedder"].update(kind="spoil:Me")),
        "`embedder.kind` in .* not run; .* --trust spoil:Me",
    ),
    "format newer": (edit(lambda r: r.update(format=99)), "newer hilt"),
    "format a text": (edit(lambda r: r.update(format="3")), "no readable student.json"),
    "a list": (lambda folder: (folder / "student.json").write_text("[]"), "no readable"),
    "deep": (lambda folder: (folder / "student.json").write_text("[" * 100_000), "no readable"),
}
BLENDS: dict[str, object] = {
    "a list": [],
    "weights in a list": {"weights": ["linear"], "temperature": 1.0},
    "a weight in words": {"weights": {"linear": "x"}, "temperature": 1.0},
    "no temperature": {"weights": {"linear": 1.0}},
    "no weights": {"weights": {}, "temperature": 1.0},
    "temperature 0": {"weights": {"linear": 1.0}, "temperature": 0},
    "temperature true": {"weights": {"linear": 1.0}, "temperature": True},
    "temperature in words": {"weights": {"linear": 1.0}, "temperature": "hot"},
    "NaN": {"weights": {"linear": float("nan")}, "temperature": 1.0},
    "negative": {"weights": {"linear": -1.0}, "temperature": 1.0},
    "nothing": {"weights": {"linear": 0.0}, "temperature": 1.0},
    "elsewhere": {"weights": {"../linear": 1.0}, "temperature": 1.0},
    "a module": {"weights": {"spoil:Me": 1.0}, "temperature": 1.0},
}


def use(folder: Path) -> None:
    found = read_student(folder, "cpu")
    predict_rows(found.student, FOUR, Single(found.labels))


def refused(folder: Path) -> str:
    """Read a student and let it predict; what was said instead."""
    with pytest.raises(HiltError) as caught:
        use(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500 + len(str(folder))
    return message


@pytest.mark.parametrize("student", [LINEAR, BLEND], ids=["linear", "blend"])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_student_comes_back_as_it_was(
    tmp_path: Path, student: LinearStudent | BlendedStudent, sealed: bool
) -> None:
    folder = saved(tmp_path / "student", student, sealed=sealed)

    found = read_student(folder, "cpu")

    assert found.labels == LABELS
    assert np.array_equal(found.student.predict_proba(FOUR), student.predict_proba(FOUR))
    assert find_fault(folder) is None


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("student", [LINEAR, BLEND], ids=["linear", "blend"])
@pytest.mark.parametrize("spoil", WEIGHTS)
def test_weights_that_were_changed_are_refused(
    tmp_path: Path, student: LinearStudent | BlendedStudent, sealed: bool, spoil: str
) -> None:
    folder = saved(tmp_path / "student", student, sealed=sealed)
    WEIGHTS[spoil](folder)

    message = refused(folder)

    assert message.endswith("train again." if sealed else ("again.", "shape (1, 3)."))
    assert (find_fault(folder) is not None) == sealed


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("spoil", RECORD)
def test_a_record_that_was_changed_is_refused_and_nothing_it_names_is_run(
    tmp_path: Path, sealed: bool, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spoil.py").write_text("raise SystemExit('it was run')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = saved(tmp_path / "student", LINEAR, sealed=sealed)
    change, expected = RECORD[spoil]
    change(folder)

    message = refused(folder)

    assert re.search(expected, message)
    assert "spoil" not in sys.modules


def test_labels_in_another_order_are_refused(folder: Path) -> None:
    edit(lambda record: record["labels"].reverse())(folder)

    assert "the format, the labels or the list of files in" in refused(folder)


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("blend", BLENDS)
def test_a_blend_of_anything_else_is_refused(tmp_path: Path, sealed: bool, blend: str) -> None:
    folder = saved(tmp_path / "student", BLEND, sealed=sealed)
    (folder / "blend.json").write_text(json.dumps(BLENDS[blend]))

    assert "blend.json" in refused(folder)


def test_what_is_as_it_was_saved_is_not_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr(student_seal, "_sha256", unread)

    assert find_fault(folder) is None
    os.utime(folder / "out_of_fold.npz")
    with pytest.raises(AssertionError, match="out_of_fold"):
        find_fault(folder)


def test_damage_that_no_stamp_shows_is_found_where_the_student_is_copied(
    folder: Path, tmp_path: Path
) -> None:
    path = folder / "linear" / "model.safetensors"
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(ModelError, match=r"its file linear/model\.safetensors was changed"):
        pack_student(folder, tmp_path / "copy")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", bytes(100)])
def test_damaged_predictions_are_named(folder: Path, content: bytes) -> None:
    (folder / "out_of_fold.npz").write_bytes(content)

    with pytest.raises(ModelError, match=r"out_of_fold\.npz is damaged; train the student again"):
        load_out_of_fold(folder)
    assert "again with `hilt train " in str(why_not_out_of_fold(folder))
    assert find_fault(folder) == f"{folder / 'out_of_fold.npz'} was changed, or is damaged"


def test_predictions_with_any_byte_flipped_are_read_or_refused_in_a_sentence(folder: Path) -> None:
    path = folder / "out_of_fold.npz"
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        why = why_not_out_of_fold(folder)
        assert why is None or why.startswith(f"{path} is damaged")


def test_the_files_of_a_student_are_as_readable_as_others(folder: Path) -> None:
    (folder.parent / "other").touch()
    usual = stat.S_IMODE((folder.parent / "other").stat().st_mode)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}

    assert modes == {usual}


def test_of_a_student_that_cannot_be_saved_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "students").write_text("a file in the way")

    with pytest.raises(OutputError, match="cannot be written"):
        saved(tmp_path / "students" / "cycle-0001", LINEAR)

    assert [path.name for path in tmp_path.iterdir()] == ["students"]
