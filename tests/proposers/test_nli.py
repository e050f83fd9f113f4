import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from hilt.errors import ModelError
from hilt.proposers import nli
from hilt.proposers.base import Context
from hilt.proposers.models.encoder import DEFAULT_MODEL, resolve_encoder
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.nli import Entailment, entailment_index, log_odds
from hilt.types import Items, Label

LABELS = (
    Label("sport", "sport and games"),
    Label("money", "money"),
    Label("space", "planets and space flight far away"),
)
THREE = {0: "contradiction", 1: "neutral", 2: "ENTAILMENT"}
TWO = {0: "entailment", 1: "not_entailment"}
TEXTS = [
    "The striker scored twice.",
    "",
    "Shares fell today, and the bank raised rates as oil prices rose. " * 3,
    "A new moon of Saturn — 東京 🙂",
]


def make_model(folder: Path, id2label: dict[int, str]) -> str:
    """Save a tiny sequence-pair model with random weights."""
    tokenizer = AutoTokenizer.from_pretrained(resolve_encoder(DEFAULT_MODEL))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
        id2label=id2label,
        label2id={name: index for index, name in id2label.items()},
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_model(tmp_path_factory.mktemp("three"), THREE)


@pytest.fixture(scope="module")
def two_labels(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_model(tmp_path_factory.mktemp("two"), TWO)


def proposer(folder: str, labels: Sequence[Label] = LABELS, **settings: object) -> Entailment:
    context = Context(labels, SentenceEmbedder(device="cpu"), device="cpu")
    return Entailment(
        context,
        model=folder,
        **{"precision": "float32", **settings},  # type: ignore[arg-type]
    )


def items_of(texts: Sequence[str]) -> Items:
    return Items(ids=[str(number) for number in range(len(texts))], contents=texts)


def plain_proposal(folder: str, entailment: int) -> np.ndarray:
    """The proposal for `TEXTS`, one pair a pass."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertForSequenceClassification.from_pretrained(folder)
    odds: np.ndarray = np.empty((len(TEXTS), len(LABELS)))
    for (row, text), (column, label) in itertools.product(enumerate(TEXTS), enumerate(LABELS)):
        hypothesis = f"This text is about: {label.description}."
        pair = tokenizer(text, hypothesis, return_tensors="pt")
        with torch.inference_mode():
            probability = model(**pair).logits.double().softmax(-1)[0, entailment]
        odds[row, column] = probability / (1 - probability)
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def test_a_proposal_is_that_of_one_pair_at_a_time(folder: str) -> None:
    expected = plain_proposal(folder, entailment=2)

    proposal = proposer(folder).propose(items_of(TEXTS))

    np.testing.assert_allclose(proposal, expected, atol=1e-5)
    assert np.ptp(expected) > 0.1  # there was something to get wrong


def test_a_model_of_two_labels_works(two_labels: str) -> None:
    expected = plain_proposal(two_labels, entailment=0)

    proposal = proposer(two_labels).propose(items_of(TEXTS))

    np.testing.assert_allclose(proposal, expected, atol=1e-5)


def test_proposals_are_distributions(folder: str) -> None:
    proposal = proposer(folder).propose(items_of(TEXTS))

    assert proposal.shape == (len(TEXTS), len(LABELS))
    assert proposal.dtype == np.float32
    np.testing.assert_allclose(proposal.sum(axis=1), 1, atol=1e-6)


def test_no_items_give_no_rows(folder: str) -> None:
    assert proposer(folder).propose(items_of([])).shape == (0, len(LABELS))


@pytest.mark.parametrize("batch_tokens", [256, 8192])
def test_neither_order_nor_batches_change_a_proposal(
    folder: str, batch_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = proposer(folder).propose(items_of(TEXTS))
    monkeypatch.setattr(nli, "PAIRS_AT_ONCE", 4)

    other = proposer(folder, batch_tokens=batch_tokens).propose(items_of(TEXTS[::-1]))

    np.testing.assert_allclose(other[::-1], whole, atol=1e-5)


def test_a_text_is_cut_where_the_model_ends_and_a_hypothesis_never(folder: str) -> None:
    entailment = proposer(folder)
    long = "oil prices " * 100

    kept = entailment._opened.cut([long], entailment._text_tokens)[0]

    np.testing.assert_allclose(
        entailment.propose(items_of([long])), entailment.propose(items_of([kept])), atol=1e-6
    )
    assert 20 < len(kept.split()) < 62


def test_a_text_is_cut_after_max_tokens(folder: str) -> None:
    short = proposer(folder, max_tokens=16)

    cut, whole = (short.propose(items_of(["oil prices " * n])) for n in (12, 8))

    np.testing.assert_allclose(cut, whole, atol=1e-6)


def test_a_hypothesis_that_leaves_no_room_for_a_text_is_refused(folder: str) -> None:
    labels = (Label("long", "money " * 60), Label("short", "sport"))

    with pytest.raises(ModelError, match=r"longest hypothesis has 69 tokens.* reads at most 62"):
        proposer(folder, labels).propose(items_of(TEXTS))


def test_descriptions_may_have_braces(folder: str) -> None:
    labels = (Label("code", "{} and {x}"), Label("prose", "prose"))

    assert proposer(folder, labels)._hypotheses[0] == "This text is about: {} and {x}."


def test_a_model_without_entailment_is_refused(tmp_path: Path) -> None:
    sentiment = make_model(tmp_path, {0: "negative", 1: "positive"})

    with pytest.raises(ModelError, match="labels are negative, positive, but none is called ent"):
        proposer(sentiment).propose(items_of(TEXTS))


def test_a_model_is_opened_on_first_use_and_an_unknown_one_refused_then() -> None:
    unknown = proposer("no/such-model")

    with pytest.raises(ModelError, match="'no/such-model' cannot be loaded"):
        unknown.propose(items_of(TEXTS))


@pytest.mark.parametrize(
    ("id2label", "index"),
    [(THREE, 2), (TWO, 0), ({0: "not_entailment", 1: "Entail"}, 1)],
)
def test_entailment_is_found_by_its_name(id2label: dict[int, str], index: int) -> None:
    assert entailment_index(id2label) == index


def test_log_odds_do_not_change_when_all_logits_of_a_pair_do() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    shifts = np.array([[100.0], [-5.0]])

    np.testing.assert_allclose(log_odds(logits + shifts, 2), log_odds(logits, 2))
    np.testing.assert_allclose(log_odds(logits, 2)[1], np.log(0.5))
