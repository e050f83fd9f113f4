import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel
from typer.testing import CliRunner

from hilt.errors import MissingExtraError, ModelError, WorkspaceError
from hilt.pipeline.cli import app
from hilt.pipeline.configuration.sections import TransformerSettings
from hilt.pipeline.students import encoder_training
from hilt.pipeline.students.base import Examples, Student, one_hot
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.contrastive import ContrastiveStudent
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.onnx_export import export_onnx
from hilt.pipeline.students.saved import SavedStudent, save_student
from hilt.pipeline.students.transformer import TransformerStudent
from hilt.proposers.sentence_embedder import SentenceEmbedder
from hilt.types import Floats, Items

LABELS = ("sport", "world", "business")
WORDS = ["goal", "match", "team", "vote", "law", "state", "bank", "share", "price", "the"]
SETTINGS = TransformerSettings(epochs=2, learning_rate=1e-3, batch_size=8, max_tokens=16)
TEXTS = ["goal", "", "the bank " * 3, "vote law state " * 40]
DOCS = Path(__file__).parents[3] / "docs" / "students.md"

Students = dict[str, Student]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT of two layers, untrained, with a dozen words; its vectors are means."""
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder, model_max_length=32).save_pretrained(folder)
    return str(folder)


@pytest.fixture(autouse=True)
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with what students say in the numbers of the graph."""
    monkeypatch.setattr(encoder_training, "resolve_precision", lambda *_: torch.float32)


@pytest.fixture(scope="module")
def students(encoder: str) -> Students:
    positions = np.arange(24) % 3
    texts = [f"the {WORDS[3 * position + place % 3]}" for place, position in enumerate(positions)]
    embeddings = embed(encoder, texts)
    items = Items([str(place) for place in range(24)], texts, embeddings)
    examples = Examples(items, one_hot(positions, 3), np.ones(24, dtype=np.float32))
    settings: dict[str, Any] = {"encoder": encoder, "device": "cpu", "seed": 0}
    linear = LinearStudent.fit(examples, 10)
    transformer = TransformerStudent.fit(examples, SETTINGS, **settings)
    contrastive = ContrastiveStudent.fit(examples, SETTINGS, **settings)
    return {
        "linear": linear,
        "transformer": transformer,
        "contrastive": contrastive,
        "blend": BlendedStudent(
            {"linear": linear, "transformer": transformer, "contrastive": contrastive},
            (0.5, 0.25, 0.75),
            1.5,
        ),
    }


def embed(encoder: str, texts: list[str]) -> Floats:
    return SentenceEmbedder(encoder, device="cpu", precision="float32").embed(texts)


def saved(student: Student, encoder: str) -> SavedStudent:
    return SavedStudent(student, LABELS, {"kind": "sentence_transformers", "model": encoder}, {})


def documented_predict() -> Callable[[Path, list[str]], Floats]:
    """The function that the documentation gives to whoever has no hilt."""
    (block,) = re.findall(r"```python\n(.*?def predict\(.*?)```", DOCS.read_text("utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(block, names)
    predict: Callable[[Path, list[str]], Floats] = names["predict"]
    return predict


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, students: Students, encoder: str) -> Path:
    """An exported blend; the folders of its parts are what these alone would be exported as."""
    folder = tmp_path_factory.mktemp("exported") / "onnx"
    result = export_onnx(saved(students["blend"], encoder), folder)
    assert (result.kind, len(result.models)) == ("blend", 3)
    return folder


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("linear", "linear"),
        ("transformer", "transformer"),
        ("contrastive", "contrastive"),
        ("blend", ""),
    ],
)
def test_the_graph_says_what_the_student_says(
    exported: Path, students: Students, encoder: str, kind: str, part: str
) -> None:
    items = Items(list("abcd"), TEXTS, embed(encoder, TEXTS))
    predict, folder = documented_predict(), exported / part

    expected = students[kind].predict_proba(items)

    assert predict(folder, TEXTS) == pytest.approx(expected, abs=1e-3)
    assert predict(folder, TEXTS[:1]) == pytest.approx(expected[:1], abs=1e-3)
    about = json.loads((folder / "onnx.json").read_text())
    assert (about["kind"], about["labels"]) == (kind, list(LABELS))


def test_an_export_is_complete_or_not_there(
    tmp_path: Path, students: Students, encoder: str
) -> None:
    folder = tmp_path / "onnx"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    student = saved(students["linear"], encoder)

    with pytest.raises(WorkspaceError, match="is not empty"):
        export_onnx(student, folder)
    result = export_onnx(student, folder, force=True)

    assert [path.name for path in tmp_path.iterdir()] == ["onnx"]
    assert {"model.onnx", "onnx.json", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
    assert "mine.txt" not in {path.name for path in folder.iterdir()}
    assert result.models == (folder / "model.onnx",)
    assert result.megabytes > 0


def test_vectors_of_a_custom_embedder_have_no_graph(tmp_path: Path, students: Students) -> None:
    student = SavedStudent(students["linear"], LABELS, {"kind": "package.module:Mine"}, {})

    with pytest.raises(ModelError, match=r"reads vectors of 'package\.module:Mine'"):
        export_onnx(student, tmp_path / "onnx")


def test_missing_packages_are_named(
    tmp_path: Path, students: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"onnxruntime.*pip install 'onnx>="):
        export_onnx(saved(students["linear"], "m"), tmp_path / "onnx")


def test_the_command_exports_the_student_in_a_folder(
    tmp_path: Path, students: Students, encoder: str
) -> None:
    about = {"kind": "sentence_transformers", "model": encoder}
    save_student(students["linear"], tmp_path / "student", LABELS, about, {})

    result = CliRunner().invoke(
        app, ["onnx", str(tmp_path / "student"), str(tmp_path / "onnx"), "--json"]
    )

    assert result.exit_code == 0
    assert json.loads(result.stdout)["models"] == [str(tmp_path / "onnx" / "model.onnx")]
