"""A pretrained encoder fine-tuned whole, with a classification head.

It is a plain `AutoModelForSequenceClassification`: what `save` writes loads with transformers
alone, and gives the same probabilities.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hilt.pipeline.configuration.student import TransformerSettings
from hilt.pipeline.students.base import Card, Examples, OtherWay
from hilt.pipeline.students.fine_tune import (
    autocast,
    fine_tune,
    log_loss,
    seeded,
    shuffled_batches,
)
from hilt.progress import Advance
from hilt.proposers.models.encoder import EncoderSource, loading_error, quiet_loading
from hilt.types import Floats, Integers, Items

USE_PIPELINE = """\
from transformers import pipeline

texts = ["One text.", "Another."]
classify = pipeline("text-classification", model="PLACE")
labels = [found["label"] for found in classify(texts, truncation=True)]
"""


@dataclass(frozen=True)
class TransformerStudent:
    """A fine-tuned encoder.

    Attributes:
        model: The encoder with its head.
        tokenizer: The encoder's tokenizer.
        max_tokens: Where texts are cut.
        epochs: Passes over the examples that made it.
    """

    kind: ClassVar[str] = "transformer"
    tasks: ClassVar[tuple[str, ...]] = ("single",)
    media: ClassVar[tuple[str, ...]] = ("text",)

    model: Any
    tokenizer: Any
    max_tokens: int
    epochs: int = 0

    @classmethod
    def fit(
        cls,
        examples: Examples,
        settings: TransformerSettings,
        *,
        encoder: EncoderSource,
        device: str,
        seed: int,
        start: TransformerStudent | None = None,
        validation: Examples | None = None,
        epochs: int | None = None,
        advance: Advance | None = None,
    ) -> TransformerStudent:
        """Fine-tune the encoder and a fresh head.

        Args:
            examples: What to learn; targets may be soft.
            settings: Rates, sizes and the most epochs.
            encoder: What to start from. A new head learns without what it wants before a text.
            device: Where to train.
            seed: Of the head, of dropout and of the order.
            start: Go on from this one, which is used up, instead of `encoder` and a fresh head.
            validation: Stop when the loss on these has not fallen for two epochs, and go back to
                the best; without them, run all epochs.
            epochs: Instead of `settings.epochs`.
            advance: Called with 1 after every epoch.
        """
        with seeded(seed, device):
            student = start or _fresh(
                encoder, examples.targets.rows.values.shape[1], settings.max_tokens, device
            )
            run = _Run(student, settings, epochs or settings.epochs, seed, advance)
            return run.train(examples, validation)

    def predict_proba(self, items: Items) -> Floats:
        """Predict from the items' texts: shape (n, n_labels), rows sum to 1."""
        logits = np.empty((len(items), self.model.config.num_labels), dtype=np.float32)
        lengths = [len(text) for text in items.texts]
        order = np.argsort(lengths, kind="stable")
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                rows = order[start : start + 64]
                with autocast(self.model.device.type):
                    out = self.model(**self._encode([items.texts[i] for i in rows])).logits
                logits[rows] = out.float().cpu().numpy()
        return torch.softmax(torch.from_numpy(logits), dim=1).numpy()

    @property
    def reads_embeddings(self) -> bool:
        """No: it is an encoder itself."""
        return False

    @property
    def reads_contents(self) -> bool:
        """Yes: texts."""
        return True

    def sharpened(self, temperature: float) -> TransformerStudent:
        """Return the same student with its logits divided by `temperature`."""
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for parameter in _last_layer(model).parameters():
                parameter.div_(temperature)
        return TransformerStudent(model, self.tokenizer, self.max_tokens, self.epochs)

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write a folder that `AutoModelForSequenceClassification.from_pretrained` reads."""
        self.model.config.id2label = dict(enumerate(labels))
        self.model.config.label2id = {label: place for place, label in enumerate(labels)}
        self.tokenizer.model_max_length = self.max_tokens
        with quiet_loading():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)

    def card(self, place: str = ".") -> Card:
        """Say what it is, and how transformers uses it."""
        about = "It is a plain sequence classifier, with the names of the labels."
        return Card(
            "an encoder, fine-tuned as a whole, with a classification head",
            library="transformers",
            other_ways=(OtherWay("transformers", about, USE_PIPELINE.replace("PLACE", place)),),
        )

    @classmethod
    def load(cls, folder: Path, device: str) -> TransformerStudent:
        """Read what `save` wrote."""
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForSequenceClassification.from_pretrained(folder)
        return cls(model.to(device).eval(), tokenizer, tokenizer.model_max_length)

    def _encode(self, texts: list[str]) -> Any:  # noqa: ANN401 - transformers' own type
        return self.tokenizer(
            texts, truncation=True, max_length=self.max_tokens, padding=True, return_tensors="pt"
        ).to(self.model.device)


class _Run:
    """One fine-tuning."""

    def __init__(
        self,
        student: TransformerStudent,
        settings: TransformerSettings,
        epochs: int,
        seed: int,
        advance: Advance | None,
    ) -> None:
        self.student = student
        self.settings = settings
        self.epochs = epochs
        self.rng = np.random.default_rng(seed)
        self.advance = advance

    def train(self, examples: Examples, validation: Examples | None) -> TransformerStudent:
        model = self.student.model
        epochs = fine_tune(
            model,
            self._groups(),
            epochs=self.epochs,
            batches=lambda: self._batches(len(examples)),
            loss=lambda rows: self._loss(examples, rows),
            validate=None if validation is None else lambda: self._validate(validation),
            advance=self.advance,
        )
        return TransformerStudent(
            model.eval(),
            self.student.tokenizer,
            self.student.max_tokens,
            self.student.epochs + epochs,
        )

    def _groups(self) -> list[dict[str, Any]]:
        model = self.student.model
        head = list(_last_layer(model).parameters())
        inside = {id(parameter) for parameter in head}
        body = [p for p in model.parameters() if id(p) not in inside and p.requires_grad]
        return [
            {"params": body, "lr": self.settings.learning_rate},
            {"params": head, "lr": self.settings.head_learning_rate},
        ]

    def _batches(self, n: int) -> list[Integers]:
        self.student.model.train()  # to validate is to leave that
        return shuffled_batches(n, self.settings.batch_size, self.rng)

    def _loss(self, examples: Examples, rows: Integers) -> torch.Tensor:
        student = self.student
        device = student.model.device
        with autocast(device.type):
            logits = student.model(
                **student._encode([examples.items.texts[i] for i in rows])
            ).logits.float()
        targets = torch.from_numpy(examples.targets.rows.values[rows]).to(device)
        weights = torch.from_numpy(examples.targets.weights[rows]).to(device)
        losses = -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1)
        return (losses * weights).mean()

    def _validate(self, validation: Examples) -> float:
        return log_loss(self.student.predict_proba(validation.items), validation)


def _fresh(
    encoder: EncoderSource, n_labels: int, max_tokens: int, device: str
) -> TransformerStudent:
    place, revision = encoder.place, encoder.revision
    try:
        with quiet_loading():  # it would warn that the head is new, which is the point
            model = AutoModelForSequenceClassification.from_pretrained(
                place, revision=revision, num_labels=n_labels, dtype=torch.float32
            )
            tokenizer = AutoTokenizer.from_pretrained(place, revision=revision)
    except (OSError, ValueError) as error:
        raise loading_error(place, error) from error
    longest = getattr(model.config, "max_position_embeddings", max_tokens)
    # RoBERTa's positions begin at 2, which only its tokenizer knows.
    longest = min(longest, tokenizer.model_max_length)
    return TransformerStudent(model.to(device), tokenizer, min(max_tokens, longest))


def _last_layer(model: torch.nn.Module) -> torch.nn.Linear:
    """Find the layer that gives the logits: the last linear one."""
    return [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
