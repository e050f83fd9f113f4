"""A trained student in Python, and the encoder that it needs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer

import hilt
from hilt.errors import DataError, ModelError, WorkspaceError
from hilt.pipeline.releasing.loaded import load_student
from hilt.pipeline.releasing.packing import pack_student
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.saved import EMBEDDER_FILES, save_student
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    encoder_folder,
    resolve_encoder,
    settings_checksum,
    weights_checksum,
)
from hilt.proposers.models.sentence_embedder import SentenceEmbedder

Open = Callable[[str], Workspace]
PAST = Path(__file__).parents[2] / "past" / "release"
TEXTS = ["The goat ate grass on the hill.", "A spicy bean stew with rice.", "She won the race."]
LABELS = ("animals", "food", "sport")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, stages: dict[str, Path]) -> Path:
    """A folder with a workspace `work` and its release `out`; read, do not change."""
    folder = tmp_path_factory.mktemp("loaded")
    workspace = hilt.open_workspace(shutil.copytree(stages["trained"], folder / "work"))
    hilt.release(workspace, folder / "out")
    workspace.database.close()
    return folder


def test_a_student_labels_texts_in_three_lines(folder: Path) -> None:
    student = hilt.load_student(str(folder / "out" / "student"))

    labels, probabilities = student.predict(TEXTS), student.predict_proba(TEXTS)

    assert labels == ["animals", "food", "sport"]
    assert (student.labels, student.kind) == (LABELS, "linear")
    assert probabilities.shape == (3, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert [LABELS[place] for place in probabilities.argmax(axis=1)] == labels
    assert repr(student) == "<hilt student: linear, 3 labels>"


def test_a_student_is_found_wherever_one_would_look(folder: Path) -> None:
    workspace = hilt.open_workspace(folder / "work")
    expected = hilt.load_student(folder / "out" / "student").predict_proba(TEXTS)

    for place in (
        folder / "out",
        str(folder / "out"),
        folder / "work",
        str(folder / "work"),
        folder / "work" / "students" / "cycle-0001",
        workspace,
    ):
        assert np.array_equal(hilt.load_student(place).predict_proba(TEXTS), expected)
    student = hilt.load_student(workspace, device="cpu")
    assert hilt.load_student(student) is student


def test_a_student_says_nothing_and_opens_its_encoder_once(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    student = load_student(folder / "out")
    student.predict(TEXTS)
    monkeypatch.setattr(
        "sentence_transformers.SentenceTransformer.__init__",
        lambda *_, **__: pytest.fail("opened again"),
    )

    student.predict(TEXTS)

    assert capfd.readouterr() == ("", "")


def test_no_texts_have_no_labels(folder: Path) -> None:
    student = load_student(folder / "out")

    assert student.predict([]) == []
    assert student.predict_proba([]).shape == (0, 3)


def test_any_sequence_of_texts_will_do(folder: Path) -> None:
    student = load_student(folder / "out")

    assert student.predict(tuple(TEXTS)) == student.predict(np.array(TEXTS))  # type: ignore[arg-type]
    assert student.predict(["", TEXTS[0]])[1] == "animals"


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ("one text", r"got one text; write `\[text\]`"),
        (["a", None], r"texts\[1\] is None, which is not a text"),
        ([float("nan")], r"texts\[0\] is nan"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(folder: Path, texts: Any, complaint: str) -> None:
    student = load_student(folder / "out")

    with pytest.raises(DataError, match=complaint):
        student.predict(texts)
    with pytest.raises(DataError, match=complaint):
        student.predict_proba(texts)


def test_a_device_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match="device is 'quantum'"):
        hilt.load_student(folder / "out", device="quantum")


def test_what_holds_no_student_is_refused(small_workspace: Open, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="contains no student"):
        hilt.load_student(tmp_path)
    with pytest.raises(WorkspaceError, match="no student yet"):
        hilt.load_student(small_workspace("proposed"))
    with pytest.raises(ModelError, match="got a int; give its path"):
        hilt.load_student(3)  # type: ignore[arg-type]


def test_a_student_of_an_older_hilt_loads() -> None:
    student = hilt.load_student(PAST)

    assert len(student.predict(TEXTS)) == 3
    assert json.loads((PAST / "student" / "student.json").read_text())["format"] == 1


# -- the encoder ----------------------------------------------------------------------------------


def test_a_release_names_the_packaged_encoder_with_its_weights(folder: Path) -> None:
    record = json.loads((folder / "out" / "student" / "student.json").read_text("utf-8"))
    card = (folder / "out" / "student" / "README.md").read_text("utf-8")
    model = record["embedder"]["model"]

    assert not (folder / "out" / "student" / "encoder").exists()
    assert model == "sentence-transformers/all-MiniLM-L6-v2"
    assert record["embedder_weights"] == SentenceEmbedder(model).checksum
    assert record["embedder_weights"] in card


def save_linear(folder: Path, embedder: dict[str, Any], weights: str = "") -> Path:
    """A student of no use, that reads vectors of length 4."""
    student = LinearStudent(np.ones((5, 3), dtype=np.float32))
    about = {"kind": "sentence_transformers", **embedder}
    save_student(student, folder, LABELS, about, {}, embedder_weights=weights)
    return folder


def make_folder(folder: Path, content: bytes = b"weights") -> Path:
    """What looks like an encoder from outside."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(content)
    (folder / ".git").mkdir()
    return folder


def test_another_encoder_than_the_student_was_trained_with_is_refused(tmp_path: Path) -> None:
    encoder = make_folder(tmp_path / "enc")
    student = save_linear(tmp_path / "student", {"model": str(encoder)}, weights_checksum(encoder))
    hilt.load_student(student)
    (encoder / "model.safetensors").write_bytes(b"others")

    with pytest.raises(
        ModelError, match=r"trained with another version of the encoder .* restore the former"
    ):
        hilt.load_student(student)
    with pytest.raises(ModelError, match="was changed since the student was trained"):
        pack_student(student, tmp_path / "packed")


def test_other_files_of_the_encoder_than_at_the_training_are_refused(tmp_path: Path) -> None:
    encoder = make_folder(tmp_path / "enc")
    linear = LinearStudent(np.ones((5, 3), dtype=np.float32))
    section = {"kind": "sentence_transformers", "model": str(encoder)}
    about = {EMBEDDER_FILES: settings_checksum(encoder)}
    save_student(linear, tmp_path / "student", LABELS, section, about)
    (encoder / "README.md").write_text("Read me.")
    hilt.load_student(tmp_path / "student")
    (encoder / "config.json").write_text('{"pooling": "other"}')

    with pytest.raises(ModelError, match=r"pooling and settings are different now; restore the"):
        hilt.load_student(tmp_path / "student")


def test_an_encoder_with_a_prompt_comes_along_whatever_numbers_it_is_kept_in(
    tmp_path: Path,
) -> None:
    encoder = tmp_path / "enc"
    shutil.copytree(resolve_encoder(DEFAULT_MODEL), encoder)
    weights = load_file(encoder / "model.safetensors")
    halves = {name: each.astype(np.float16) for name, each in weights.items()}
    save_file(halves, encoder / "model.safetensors", {"format": "pt"})
    section: dict[str, Any] = {"model": str(encoder), "prompt": "query: ", "max_tokens": 32}
    student = save_linear(tmp_path / "student", section, weights_checksum(encoder))

    packed = pack_student(student, tmp_path / "packed")

    assert packed.record["embedder_weights"] == weights_checksum(tmp_path / "packed" / "encoder")
    used = SentenceEmbedder(**section, device="cpu", precision="float32").embed(TEXTS)
    plain = SentenceTransformer(str(tmp_path / "packed" / "encoder"), device="cpu")
    assert plain.max_seq_length == 32
    assert plain.encode(TEXTS, normalize_embeddings=True) == pytest.approx(used, abs=1e-3)


def test_an_encoder_of_the_users_comes_along(tmp_path: Path) -> None:
    encoder = make_folder(tmp_path / "enc")
    student = save_linear(tmp_path / "student", {"model": str(encoder), "revision": "main"})

    packed = pack_student(student, tmp_path / "packed")
    shutil.rmtree(encoder)

    assert packed.record["embedder"]["model"] == "./encoder"
    assert {path.name for path in (tmp_path / "packed" / "encoder").iterdir()} == {
        "config.json",
        "model.safetensors",
    }
    hilt.load_student(tmp_path / "packed")
    again = pack_student(tmp_path / "packed", tmp_path / "again")
    assert (again.record, again.embedder) == (
        packed.record,
        {**packed.record["embedder"], "model": str((tmp_path / "again" / "encoder").resolve())},
    )


def test_an_encoder_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    student = save_linear(tmp_path / "student", {"model": gone})

    with pytest.raises(ModelError, match=f"{gone}.*there is no such folder; restore it"):
        pack_student(student, tmp_path / "packed")
    with pytest.raises(ModelError, match=f"{gone}' cannot be loaded: there is no such folder"):
        hilt.load_student(student).predict(TEXTS)


def test_an_encoder_of_ones_own_class_is_named_as_it_is(tmp_path: Path) -> None:
    student = save_linear(tmp_path / "student", {"kind": "package.module:Mine"})

    with pytest.raises(ModelError, match="which was not run; if you know"):
        pack_student(student, tmp_path / "packed")
    packed = pack_student(student, tmp_path / "packed", ["package.module:Mine"])
    assert packed.record["embedder"]["kind"] == "package.module:Mine"


def test_the_weights_of_an_encoder_from_the_hub_are_found_in_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "0" * 40
    cached = tmp_path / "models--me--enc"
    make_folder(cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)

    found = encoder_folder("me/enc")

    assert found == cached / "snapshots" / commit
    assert encoder_folder("me/enc", revision=commit) == found
    assert encoder_folder("me/other") is None
    packed = pack_student(save_linear(tmp_path / "s", {"model": "me/enc"}), tmp_path / "p")
    assert packed.record["embedder"]["model"] == "me/enc"
    assert packed.record["embedder_weights"] == weights_checksum(found)
