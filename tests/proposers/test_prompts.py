import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from hilt.pipeline.students.base import Examples, join
from hilt.pipeline.students.contrastive import ContrastiveStudent, open_encoder
from hilt.pipeline.students.linear import LinearStudent
from hilt.proposers.base import Context
from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    EncoderSource,
    quiet_loading,
    resolve_encoder,
)
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.prompts import Prompts, description_prompt, text_prompt
from hilt.proposers.zero_shot import ZeroShot
from hilt.tasks.categorical import one_hot
from hilt.types import Items, Label

TEXTS = ["Oil prices fell on Thursday.", "", "The match ended in a draw, " * 20]
QUERY = "query: "


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model, whose own files name a default prompt."""
    folder = tmp_path_factory.mktemp("prompted") / "model"
    shutil.copytree(resolve_encoder(DEFAULT_MODEL), folder)
    about = {"prompts": {"query": QUERY, "document": "passage: "}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(about), "utf-8")
    return folder


def plain(texts: list[str], model: Path | str = "", **settings: Any) -> np.ndarray:
    """What sentence-transformers makes of texts."""
    with quiet_loading():
        encoder = SentenceTransformer(str(model or resolve_encoder(DEFAULT_MODEL)), device="cpu")
    vectors: np.ndarray = encoder.encode(texts, normalize_embeddings=True, **settings)
    return vectors


def embed(model: Path | str = DEFAULT_MODEL, **settings: Any) -> SentenceEmbedder:
    return SentenceEmbedder(str(model), device="cpu", precision="float32", **settings)


def test_a_prompt_stands_before_every_text() -> None:
    vectors = embed(prompt=QUERY).embed(TEXTS)

    assert vectors == pytest.approx(plain(TEXTS, prompt=QUERY), abs=1e-4)
    assert np.abs(vectors - plain(TEXTS)).max() > 0.01


def test_descriptions_have_a_prompt_of_their_own_or_that_of_texts() -> None:
    own = embed(prompt=QUERY, description_prompt="passage: ")
    label = Label("oil", "Oil and gas")
    zero_shot = ZeroShot(Context([label], own))

    assert zero_shot.label_embeddings == pytest.approx(
        plain([label.description], prompt="passage: "), abs=1e-4
    )
    assert own.embed(TEXTS) == pytest.approx(plain(TEXTS, prompt=QUERY), abs=1e-4)
    assert embed(prompt=QUERY).embed_labels(TEXTS) == pytest.approx(
        plain(TEXTS, prompt=QUERY), abs=1e-4
    )


@pytest.mark.parametrize(
    ("settings", "before"), [({}, QUERY), ({"prompt": ""}, ""), ({"prompt": "x: "}, "x: ")]
)
def test_a_prompt_that_the_models_files_name_holds_until_another_is_set(
    prompted: Path, settings: dict[str, str], before: str
) -> None:
    embedder = embed(prompted, **settings)

    assert embedder.prompt == before
    assert embedder.embed(TEXTS) == pytest.approx(plain(TEXTS, prompt=before), abs=1e-4)
    assert embedder.fingerprint.get("prompt", "") == before


def test_a_prompt_takes_tokens_too() -> None:
    assert embed(prompt="one two ").token_counts(["", "three"]) == [4, 5]


def test_an_encoder_that_leaves_the_prompt_out_of_its_vectors_still_does(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(resolve_encoder(DEFAULT_MODEL), folder)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({**json.loads(pooling.read_text()), "include_prompt": False}))

    vectors = embed(folder, prompt=QUERY).embed(TEXTS)

    assert vectors == pytest.approx(plain(TEXTS, folder, prompt=QUERY), abs=1e-4)
    assert np.abs(vectors - plain(TEXTS, prompt=QUERY)).max() > 0.01


@pytest.mark.parametrize("own", [True, False], ids=["in its files", "in the configuration"])
def test_a_contrastive_student_reads_and_saves_the_prompt(
    prompted: Path, tmp_path: Path, own: bool
) -> None:
    source = (
        EncoderSource(str(prompted)) if own else EncoderSource(DEFAULT_MODEL, None, Prompts(QUERY))
    )
    positions = np.array([0, 0, 1, 1])
    texts = ["oil fell", "oil rose", "they won", "they lost"]
    items = Items(list("abcd"), texts, np.zeros((4, 384), np.float32))
    settings: Any = SimpleNamespace(epochs=1, learning_rate=1e-4, batch_size=4, max_tokens=32)

    student = ContrastiveStudent.fit(
        Examples(items, one_hot(positions, 2)),
        settings,
        encoder=source,
        device="cpu",
        seed=0,
    )
    student.save(tmp_path, ("oil", "sport"))

    vectors = plain(texts, tmp_path / "encoder")
    head = LinearStudent.load(tmp_path, "cpu")
    expected = head.predict_proba(Items(items.ids, texts, vectors))
    loaded = ContrastiveStudent.load(tmp_path, "cpu")
    assert text_prompt(loaded.encoder) == QUERY
    assert loaded.predict_proba(items) == pytest.approx(expected, abs=0.01)
    assert np.abs(vectors - plain(texts, tmp_path / "encoder", prompt="")).max() > 0.01


def test_descriptions_keep_their_prompt_among_other_examples() -> None:
    encoder = open_encoder(resolve_encoder(DEFAULT_MODEL), "cpu", prompts=Prompts("a: ", "b: "))
    one = Examples(Items(["x"], ["x"], np.zeros((1, 2))), one_hot(np.array([0]), 1))
    described = Examples(one.items, one.targets, described=(0,))

    joined = join([one, described, one, described])

    assert joined.described == (1, 3)
    assert (text_prompt(encoder), description_prompt(encoder)) == ("a: ", "b: ")
