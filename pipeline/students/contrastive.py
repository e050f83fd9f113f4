"""A sentence encoder that learns which texts belong together, with a linear head on its vectors.

Few labels give many pairs, so that the encoder learns from fewer of them than a fresh
classification head needs. The encoder stays one that sentence-transformers loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from hilt.pipeline.configuration.student import FineTuning
from hilt.pipeline.students.base import Card, Examples, OtherWay
from hilt.pipeline.students.fine_tune import (
    autocast,
    average_weights,
    fine_tune,
    log_loss,
    seeded,
)
from hilt.pipeline.students.linear import LinearStudent, usual_regularisation
from hilt.progress import Advance
from hilt.proposers.models.encoder import EncoderSource, loading_error, quiet_loading
from hilt.proposers.models.token_batches import pad_rows, plan_batches, token_budget
from hilt.proposers.prompts import (
    AS_THE_MODEL_SAYS,
    Prompts,
    description_prompt,
    leaves_prompt_out,
    text_prompt,
)
from hilt.types import Floats, Integers, Items

TEMPERATURE = 0.1
CPU_LEARNING_TOKENS = 384  # the few rows of a step differ in length, and padding costs most
CPU_READING_TOKENS = 2048  # of many rows some are always of like length
USE_ENCODER = """\
import json
from pathlib import Path

from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer

texts = ["One text.", "Another."]
names = json.loads(Path("student.json").read_text(encoding="utf-8"))["labels"]
encoder = SentenceTransformer("PLACE/encoder")
head = load_file("PLACE/model.safetensors")
vectors = encoder.encode(texts, normalize_embeddings=True)  # (texts, dimensions)
logits = vectors @ head["weight"].T + head["bias"]  # (texts, labels); their softmax is calibrated
labels = [names[place] for place in logits.argmax(axis=1)]
"""


@dataclass(frozen=True)
class ContrastiveStudent:
    """A fine-tuned sentence encoder and a linear student on its vectors.

    Attributes:
        encoder: The sentence-transformers model.
        head: Reads the encoder's vectors.
        epochs: Passes over the examples that made it.
    """

    kind: ClassVar[str] = "contrastive"
    tasks: ClassVar[tuple[str, ...]] = ("single",)
    media: ClassVar[tuple[str, ...]] = ("text",)

    encoder: SentenceTransformer
    head: LinearStudent
    epochs: int = 0

    @classmethod
    def fit(
        cls,
        examples: Examples,
        settings: FineTuning,
        *,
        encoder: EncoderSource,
        device: str,
        seed: int,
        start: ContrastiveStudent | None = None,
        regularisation: float | None = None,
        validation: Examples | None = None,
        epochs: int | None = None,
        advance: Advance | None = None,
    ) -> ContrastiveStudent:
        """Fine-tune the encoder until texts of one label are close, then fit the head.

        Args:
            examples: What to learn; the encoder takes the likeliest label of a soft target.
            settings: Rates, sizes and the most epochs.
            encoder: A sentence encoder, with what it wants before every text.
            device: Where to train.
            seed: Of the order.
            start: Go on from this one, which is used up, instead of `encoder`.
            regularisation: C of the head; as is usual for so many labels when None.
            validation: Stop when the loss on these has not fallen for two epochs, and go back to
                the best; without them, run all epochs.
            epochs: Instead of `settings.epochs`.
            advance: Called with 1 after every epoch.

        Source: Khosla et al. 2020, equation 2; Tunstall et al. 2022 for the two steps.
        """
        strength = regularisation or usual_regularisation(examples.targets.rows.values.shape[1])
        if start is None:
            model, passed = _open_to_learn(encoder, device, settings.max_tokens), 0
        else:
            model, passed = start.encoder, start.epochs
        texts = _prompted(model, examples)
        positions = examples.targets.rows.values.argmax(axis=1)
        rng = np.random.default_rng(seed)

        def loss(rows: Integers) -> torch.Tensor:
            vectors = _embed(model, [texts[i] for i in rows], CPU_LEARNING_TOKENS)
            return supervised_contrastive_loss(
                vectors,
                torch.from_numpy(positions[rows]).to(vectors.device),
                torch.from_numpy(examples.targets.weights[rows]).to(vectors.device),
            )

        def validate() -> float:
            assert validation is not None
            head = _fit_head(model, examples, strength)
            return log_loss(head.predict_proba(_embedded(model, validation.items)), validation)

        with seeded(seed, device):
            trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
            passed += fine_tune(
                model,
                [{"params": trained, "lr": settings.learning_rate}],
                epochs=epochs or settings.epochs,
                batches=lambda: paired_batches(positions, settings.batch_size, rng),
                loss=loss,
                validate=None if validation is None else validate,
                advance=advance,
            )
        return cls(model, _fit_head(model, examples, strength), passed)

    @classmethod
    def average(cls, students: Sequence[ContrastiveStudent]) -> ContrastiveStudent:
        """Give the mean of some students that began with one encoder; they are used up."""
        average_weights([student.encoder for student in students])
        return cls(
            students[0].encoder,
            LinearStudent.average([student.head for student in students]),
            max(student.epochs for student in students),
        )

    def predict_proba(self, items: Items) -> Floats:
        """Predict from the items' texts: shape (n, n_labels), rows sum to 1."""
        return self.head.predict_proba(_embedded(self.encoder, items))

    @property
    def reads_embeddings(self) -> bool:
        """No: it makes vectors of its own."""
        return False

    @property
    def reads_contents(self) -> bool:
        """Yes: texts."""
        return True

    def sharpened(self, temperature: float) -> ContrastiveStudent:
        """Return the same student with its logits divided by `temperature`."""
        return ContrastiveStudent(self.encoder, self.head.sharpened(temperature), self.epochs)

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write the head, and `encoder/`, which sentence-transformers reads."""
        with quiet_loading():
            self.encoder.save_pretrained(str(folder / "encoder"), create_model_card=False)
        self.head.save(folder, labels)

    def card(self, place: str = ".") -> Card:
        """Say what it is, and how sentence-transformers uses it."""
        code = USE_ENCODER.replace("PLACE/", "" if place == "." else f"{place}/")
        about = (
            "`encoder` is a sentence encoder, and `head` is the logistic regression on its vectors."
        )
        return Card(
            "a sentence encoder, fine-tuned so that texts with the same label are close, with a"
            " logistic regression on its vectors",
            other_ways=(OtherWay("sentence-transformers", about, code),),
        )

    @classmethod
    def load(cls, folder: Path, device: str) -> ContrastiveStudent:
        """Read what `save` wrote."""
        head = LinearStudent.load(folder, device)
        return cls(open_encoder(str(folder / "encoder"), device), head)


def supervised_contrastive_loss(
    vectors: torch.Tensor, positions: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Ask of every text to be closer to those of its label than to the others of the batch.

    Args:
        vectors: Shape (n, d), unit rows.
        positions: Shape (n,), the labels; a text that is alone with its label only repels.
        weights: Shape (n,), how much each text's own loss counts.

    Source: Khosla et al. 2020, equation 2.
    """
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    similar = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, -torch.inf)
    logarithms = torch.log_softmax(similar, dim=1).masked_fill(itself, 0)
    alike = (positions[:, None] == positions) & ~itself
    losses = -(logarithms * alike).sum(dim=1) / alike.sum(dim=1).clamp(min=1)
    return (losses * weights).sum() / weights.sum()


def paired_batches(positions: Integers, size: int, rng: np.random.Generator) -> list[Integers]:
    """Deal rows into batches at random, two of a label at a time.

    A row that is left over goes with another of its label; the only row of a label, with itself.

    Args:
        positions: Shape (n,), the labels.
        size: Rows in a batch; the last may be smaller.
        rng: The source of chance.
    """
    pairs = []
    for position in np.unique(positions):
        rows = rng.permutation(np.flatnonzero(positions == position))
        pairs += [rows.take([start, start + 1], mode="wrap") for start in range(0, len(rows), 2)]
    order = rng.permutation(len(pairs))
    per_batch = max(size // 2, 1)
    return [
        np.concatenate([pairs[place] for place in order[start : start + per_batch]])
        for start in range(0, len(order), per_batch)
    ]


def open_encoder(
    encoder: str,
    device: str,
    max_tokens: int | None = None,
    revision: str | None = None,
    prompts: Prompts = AS_THE_MODEL_SAYS,
) -> SentenceTransformer:
    """Open an encoder in float32, to be trained or used.

    Args:
        encoder: A folder or a name on the hub.
        device: Where it works.
        max_tokens: Cut texts after so many tokens; None, or more: the model's own length.
        revision: Commit, tag or branch on the hub.
        prompts: What stands before texts, beside what the model's own files say.

    It stays in evaluation mode even while it learns: dropout takes a third of a step on a
    processor, and with few labels gains nothing.
    """
    settings: dict[str, Any] = {"dtype": torch.float32}
    if device == "cpu":
        settings["attn_implementation"] = "eager"  # its backward pass is twice as fast there
    try:
        with quiet_loading():
            model = SentenceTransformer(
                encoder, device=device, revision=revision, model_kwargs=settings
            ).eval()
    except Exception as error:
        # What a model's files can raise is open-ended: OSError, ValueError, safetensors' own.
        raise loading_error(encoder, error) from error
    if max_tokens is not None:
        model.max_seq_length = min(max_tokens, model.max_seq_length or max_tokens)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.requires_grad_(False)  # half of MiniLM's weights, and few labels see few words
    prompts.put_into(model)
    return model


def _open_to_learn(encoder: EncoderSource, device: str, max_tokens: int) -> SentenceTransformer:
    model = open_encoder(encoder.place, device, max_tokens, encoder.revision, encoder.prompts)
    if leaves_prompt_out(model):  # which it could for prompts of one length only: it learns to do
        model.set_pooling_include_prompt(True)  # without, and is saved as it learned
    return model


def _prompted(model: SentenceTransformer, examples: Examples) -> list[str]:
    """Put before each text what the model wants before it."""
    texts = examples.items.texts
    prompted = [text_prompt(model) + text for text in texts]
    for row in examples.described:
        prompted[row] = description_prompt(model) + texts[row]
    return prompted


def _embed(model: SentenceTransformer, texts: list[str], cpu_tokens: int) -> torch.Tensor:
    """Embed texts with their prompts, so many tokens a batch on a processor.

    Returns:
        Shape (n, d), unit rows, in order.
    """
    rows = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
    lengths = np.array([len(row) for row in rows])
    batches = plan_batches(lengths, token_budget(model.device.type, cpu_tokens))
    with autocast(model.device.type):
        vectors = torch.cat([_run(model, [rows[i] for i in batch]) for batch in batches])
    places = torch.from_numpy(np.argsort(np.concatenate(batches))).to(vectors.device)
    return torch.nn.functional.normalize(vectors.float(), dim=1)[places]


def _run(model: SentenceTransformer, rows: list[list[int]]) -> torch.Tensor:
    tokenizer = model.tokenizer
    ids, mask = pad_rows(rows, tokenizer.pad_token_id or 0, tokenizer.padding_side == "left")
    features = {
        "input_ids": torch.from_numpy(ids).to(model.device),
        "attention_mask": torch.from_numpy(mask).to(model.device),
    }
    vectors: torch.Tensor = model(features)["sentence_embedding"]
    return vectors


def _vectors(model: SentenceTransformer, texts: list[str]) -> Floats:
    """Embed any number of texts with their prompts: shape (n, d), unit rows."""
    size = 512
    # Weights are cast once: a batch alone would forget them, and inference mode keeps none at all.
    with torch.no_grad(), autocast(model.device.type):
        vectors = [
            _embed(model, texts[start : start + size], CPU_READING_TOKENS).cpu().numpy()
            for start in range(0, len(texts), size)
        ]
    none = np.empty((0, model.get_embedding_dimension() or 0), dtype=np.float32)
    return np.concatenate([none, *vectors])


def _embedded(model: SentenceTransformer, items: Items) -> Items:
    """Give items the vectors of a model."""
    prompt = text_prompt(model)
    vectors = _vectors(model, [prompt + text for text in items.texts])
    return Items(items.ids, items.texts, vectors)


def _fit_head(
    model: SentenceTransformer, examples: Examples, regularisation: float
) -> LinearStudent:
    vectors = _vectors(model, _prompted(model, examples))
    items = Items(examples.items.ids, examples.items.texts, vectors)
    return LinearStudent.fit(Examples(items, examples.targets), regularisation)
