import numpy as np
import pytest

from hilt.proposers import zero_shot
from hilt.proposers.base import Context
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.zero_shot import ZeroShot, cosine_proposal
from hilt.types import Items, Label

LABELS = (
    Label("sport", "a text about sport"),
    Label("money", "a text about money, banks and business"),
    Label("space", "a text about planets and space flight"),
)


class CountingEmbedder(SentenceEmbedder):
    calls = 0

    def embed(self, texts: list[str]) -> np.ndarray:
        self.calls += 1
        return np.eye(len(texts), dtype=np.float32)


def items_with(embeddings: np.ndarray | None) -> Items:
    return Items(ids=["a", "b"], contents=["first", "second"], embeddings=embeddings)


def test_no_items_give_no_rows() -> None:
    labels = np.eye(3, dtype=np.float32)

    assert cosine_proposal(np.empty((0, 3), np.float32), labels, 0.05).shape == (0, 3)


def test_a_lower_temperature_is_surer() -> None:
    corners = np.eye(3, dtype=np.float32)

    unsure, sure = (cosine_proposal(corners, corners, value).max() for value in (1.0, 0.1))

    assert sure > unsure


def test_a_very_low_temperature_neither_overflows_nor_gives_nan() -> None:
    corners = np.eye(3, dtype=np.float16)

    np.testing.assert_allclose(cosine_proposal(corners, corners, 1e-6), np.eye(3))


def test_float16_embeddings_propose_what_float32_ones_do() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(50, 64)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)

    halved = cosine_proposal(embeddings.astype(np.float16), embeddings[:5], 0.05)

    assert halved.dtype == np.float32
    np.testing.assert_allclose(halved, cosine_proposal(embeddings, embeddings[:5], 0.05), atol=5e-3)


def test_many_items_are_proposed_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = np.eye(7, dtype=np.float32)
    whole = cosine_proposal(embeddings, embeddings, 0.2)
    monkeypatch.setattr(zero_shot, "BLOCK_ROWS", 3)

    np.testing.assert_allclose(cosine_proposal(embeddings, embeddings, 0.2), whole, rtol=1e-6)


def test_items_without_embeddings_are_refused() -> None:
    proposer = ZeroShot(Context(LABELS, CountingEmbedder()))

    with pytest.raises(ValueError, match="run the embedder first"):
        proposer.propose(items_with(None))


def test_descriptions_are_embedded_once_and_only_when_needed() -> None:
    embedder = CountingEmbedder()
    proposer = ZeroShot(Context(LABELS, embedder))
    before = embedder.calls

    proposer.propose(items_with(np.eye(2, 3, dtype=np.float16)))
    proposer.propose(items_with(np.eye(2, 3, dtype=np.float16)))

    assert (before, embedder.calls) == (0, 1)


def test_the_likeliest_label_is_the_one_that_the_text_is_about() -> None:
    embedder = SentenceEmbedder(device="cpu")
    texts = ["The striker scored twice in the final.", "The bank raised its interest rates."]
    items = Items(ids=["a", "b"], contents=texts, embeddings=embedder.embed(texts))

    proposal = ZeroShot(Context(LABELS, embedder)).propose(items)

    assert proposal.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(proposal.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-7, 1e7, 1e300])
def test_no_temperature_overflows(temperature: float) -> None:
    corners = np.eye(3, dtype=np.float32)

    rows = cosine_proposal(corners, corners, temperature)

    assert np.allclose(rows, np.eye(3) if temperature < 1 else 1 / 3, atol=1e-5)
