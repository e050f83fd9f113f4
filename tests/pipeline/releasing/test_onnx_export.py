import importlib.util
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from hilt.errors import MissingExtraError, ModelError, OutputError
from hilt.pipeline.cli import app
from hilt.pipeline.releasing.loaded import LoadedStudent, load_student
from hilt.pipeline.releasing.onnx_export import onnx
from hilt.pipeline.students.base import Examples, Student
from hilt.pipeline.students.contrastive import ContrastiveStudent, open_encoder
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.saved import SavedStudent, save_student
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.tasks.categorical import one_hot
from hilt.tasks.single import Single
from hilt.types import Items
from tests.tiny_encoder import WORDS, save_tiny_encoder

LABELS = ("sport", "world", "business")
DOCS = Path(__file__).parents[3] / "docs" / "students.md"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def linear(encoder: str) -> LinearStudent:
    positions = np.arange(24) % 3
    texts = [f"the {WORDS[3 * position + place % 3]}" for place, position in enumerate(positions)]
    embeddings = SentenceEmbedder(encoder, device="cpu", precision="float32").embed(texts)
    items = Items([str(place) for place in range(24)], texts, embeddings)
    return LinearStudent.fit(Examples(items, one_hot(positions, 3)), 10)


def saved(student: Student, encoder: str) -> SavedStudent:
    return SavedStudent(
        student, Single(LABELS), {"kind": "sentence_transformers", "model": encoder}, {}
    )


def test_the_documentation_and_the_card_of_an_export_have_the_same_function() -> None:
    """Every kind of student is run through the one in the card: see test_every_student.py."""
    card = (files("hilt.pipeline.releasing") / "templates" / "onnx_card.md").read_text("utf-8")
    pattern = r"```python\n(import json\n.*?def predict\(.*?    return probabilities\n)"

    ((in_docs,), (in_card,)) = (
        re.findall(pattern, text, re.S) for text in (DOCS.read_text("utf-8"), card)
    )

    assert in_docs == in_card


def test_an_export_is_complete_or_not_there(
    tmp_path: Path, linear: LinearStudent, encoder: str
) -> None:
    folder = tmp_path / "onnx"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    student = saved(linear, encoder)

    with pytest.raises(OutputError, match="is not empty"):
        onnx(student, folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    result = onnx(student, folder)

    assert [path.name for path in tmp_path.iterdir()] == ["onnx"]
    assert {"model.onnx", "onnx.json", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
    assert result.models == (folder / "model.onnx",)
    assert result.megabytes > 0


def test_another_encoder_than_the_student_was_trained_with_is_refused(
    tmp_path: Path, linear: LinearStudent, encoder: str
) -> None:
    about = {"kind": "sentence_transformers", "model": encoder}
    trained_with = {"embedder_weights": "0" * 64}
    student = SavedStudent(linear, Single(LABELS), about, trained_with)

    for use in (load_student, lambda student: onnx(student, tmp_path / "onnx")):
        with pytest.raises(ModelError, match="trained with another version of the encoder"):
            use(student)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_an_export_leaves_the_student_as_it_is(tmp_path: Path, encoder: str, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    opened = open_encoder(encoder, device)
    student = ContrastiveStudent(opened, LinearStudent(np.ones((33, 3), dtype=np.float32)))
    opened.tokenizer.model_max_length = 100
    loaded = LoadedStudent(SavedStudent(student, Single(LABELS), None, {}), None, "cpu")
    before = loaded.predict_proba(WORDS)

    onnx(loaded, tmp_path / "onnx")

    assert opened.tokenizer.model_max_length == 100
    assert {weights.device.type for weights in opened.parameters()} == {device}
    assert np.array_equal(loaded.predict_proba(WORDS), before)


def test_vectors_of_a_custom_embedder_have_no_graph(tmp_path: Path, linear: LinearStudent) -> None:
    student = SavedStudent(linear, Single(LABELS), {"kind": "package.module:Mine"}, {})

    with pytest.raises(ModelError, match=r"reads vectors of 'package\.module:Mine'"):
        onnx(student, tmp_path / "onnx")


def test_missing_packages_are_named(
    tmp_path: Path, linear: LinearStudent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"onnxruntime.*pip install 'onnx>="):
        onnx(saved(linear, "m"), tmp_path / "onnx")


def test_the_command_exports_the_student_in_a_folder(
    tmp_path: Path, linear: LinearStudent, encoder: str
) -> None:
    about = {"kind": "sentence_transformers", "model": encoder}
    save_student(linear, tmp_path / "student", LABELS, about, {})

    result = CliRunner().invoke(
        app, ["onnx", str(tmp_path / "student"), str(tmp_path / "onnx"), "--json"]
    )

    assert result.exit_code == 0
    assert json.loads(result.stdout)["models"] == [str(tmp_path / "onnx" / "model.onnx")]
