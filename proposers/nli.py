"""Labels proposed by entailment: how surely a text implies a sentence about each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from hilt.errors import ModelError
from hilt.proposers.base import Context
from hilt.proposers.models.token_batches import pad_rows, plan_batches, token_budget
from hilt.proposers.models.transformer import (
    Transformer,
    open_transformer,
    transformer_identity,
)
from hilt.types import Floats, Items

CPU_BATCH_TOKENS = 2048
UNLIMITED = 2**31 - 1
PAIRS_AT_ONCE = 8192  # pairs whose tokens are held, and sorted by length, at a time


def entailment_index(id2label: Mapping[int, str]) -> int:
    """Find which output of a sequence-pair model says that the pair is an entailment.

    Raises:
        ModelError: If none is called entailment.
    """
    for index, name in id2label.items():
        if name.lower().startswith("entail"):
            return index
    raise ModelError(
        f"The model's labels are {', '.join(id2label.values())}, but none is called entailment;"
        " use a model that was trained on entailment (natural language inference)."
    )


def log_odds(logits: Floats, index: int) -> Floats:
    """Set one class of a softmax against all others together.

    Args:
        logits: Shape (n, n_classes).
        index: The class.

    Returns:
        Shape (n,): log p - log(1 - p) of the class.
    """
    others = logsumexp(np.delete(logits, index, axis=1), axis=1)
    odds: Floats = logits[:, index] - others
    return odds


class Entailment:
    """Proposes by how surely an item entails a sentence about each label.

    A pair's logits are only known up to a constant of that pair, so the logit of entailment
    alone cannot be compared between pairs; its log-odds can. Their softmax over the labels is
    also the chance that a label is the one that holds, given that exactly one does.

    Args:
        context: The labels, whose descriptions go into the hypothesis, and the device.
        model: A hub name or a folder of a sequence-pair model of transformers.
        revision: Commit, tag or branch on the hub.
        hypothesis: The sentence about a label, with `{}` for its description.
        precision: `auto`, `float32`, `bfloat16` or `float16`.
        max_tokens: Cut texts after so many tokens, and sooner where the model reads fewer.
        batch_tokens: Tokens in one batch, padding included; None: what suits the device.
        calibration: `batch` or `none`; done by whoever has the whole pool.

    Source: Yin, Hay and Roth 2019, section 5 (a label as the hypothesis of an entailment).
    """

    tasks = ("single",)
    media = ("text",)
    reads_embeddings = False

    def __init__(
        self,
        context: Context,
        model: str = "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33",
        revision: str | None = None,
        hypothesis: str = "This text is about: {}.",
        precision: str = "auto",
        max_tokens: int = 256,
        batch_tokens: int | None = None,
        calibration: str = "batch",
    ) -> None:
        self.context = context
        self.model = model
        self.revision = revision
        self.hypothesis = hypothesis
        self.precision = precision
        self.max_tokens = max_tokens
        self.batch_tokens = batch_tokens
        self.calibration = calibration

    def propose(self, items: Items) -> Floats:
        """Propose labels, not yet calibrated.

        Args:
            items: n items.

        Returns:
            Shape (n, n_labels), float32, rows sum to 1.

        Raises:
            ModelError: If the model cannot be loaded, has no label called entailment, or is
                too short for a hypothesis.
        """
        odds = np.empty((len(items), len(self.context.labels)), dtype=np.float32)
        step = max(PAIRS_AT_ONCE // odds.shape[1], 1)
        for start in range(0, len(items), step):
            texts = items.texts[start : start + step]
            odds[start : start + step] = self._entail(texts).reshape(-1, odds.shape[1])
        proposal: Floats = softmax(odds, axis=1)
        return proposal

    def identity(self) -> dict[str, str]:
        """Say which model it asks, with the checksums of its files, and in which precision."""
        _ = self._opened  # which fetches it
        return transformer_identity(**self._model)

    def _entail(self, texts: Sequence[str]) -> Floats:
        """Score every text with every hypothesis: log-odds, shape (n_texts * n_labels,)."""
        hypotheses = self._hypotheses
        encoded = self._opened.tokenizer(
            [text for text in self._opened.cut(texts, self._text_tokens) for _ in hypotheses],
            hypotheses * len(texts),
            truncation="only_first",
            max_length=self._model_tokens,
            verbose=False,
        )
        rows, kinds = encoded["input_ids"], encoded.get("token_type_ids")
        odds = np.empty(len(rows), dtype=np.float32)
        for batch in plan_batches(np.array([len(row) for row in rows]), self._token_budget):
            logits = self._run(
                [rows[i] for i in batch], None if kinds is None else [kinds[i] for i in batch]
            )
            odds[batch] = log_odds(logits, self._entailment_index)
        return odds

    def _run(self, rows: list[list[int]], kinds: list[list[int]] | None) -> Floats:
        """Put one batch of tokenised pairs through the model.

        Returns:
            Shape (n, n_classes), float32.
        """
        import torch

        tokenizer, left = self._opened.tokenizer, self._opened.tokenizer.padding_side == "left"
        ids, mask = pad_rows(rows, tokenizer.pad_token_id or 0, left)
        features = {"input_ids": ids, "attention_mask": mask}
        if kinds is not None:
            features["token_type_ids"], _ = pad_rows(kinds, tokenizer.pad_token_type_id, left)
        with torch.inference_mode():
            tensors = {
                name: torch.from_numpy(array).to(self._opened.device)
                for name, array in features.items()
            }
            logits: Floats = self._opened.model(**tensors).logits.float().cpu().numpy()
        return logits

    @property
    def _token_budget(self) -> int:
        return self.batch_tokens or token_budget(self._opened.device, CPU_BATCH_TOKENS)

    @cached_property
    def _hypotheses(self) -> list[str]:
        return [self.hypothesis.format(label.description) for label in self.context.labels]

    @cached_property
    def _model_tokens(self) -> int:
        """Tokens of a pair that the model reads."""
        places = getattr(self._opened.model.config, "max_position_embeddings", None) or UNLIMITED
        # RoBERTa counts two places that hold no token.
        return int(min(self._opened.tokenizer.model_max_length, places - 2))

    @cached_property
    def _text_tokens(self) -> int:
        """Tokens of a text that are read, beside whichever label: all see the same text."""
        encoded = self._opened.tokenizer(self._hypotheses, add_special_tokens=False, verbose=False)
        taken = max(len(row) for row in encoded["input_ids"])
        taken += self._opened.tokenizer.num_special_tokens_to_add(pair=True)
        if taken >= self._model_tokens:
            raise ModelError(
                f"The longest hypothesis has {taken} tokens, but the model {self.model!r} reads at"
                f" most {self._model_tokens} together with the text; shorten the descriptions"
                " of the labels."
            )
        return int(min(self.max_tokens, self._model_tokens - taken))

    @cached_property
    def _entailment_index(self) -> int:
        return entailment_index(self._opened.model.config.id2label)

    @cached_property
    def _opened(self) -> Transformer:
        return open_transformer(
            "AutoModelForSequenceClassification",
            **self._model,
        )

    @property
    def _model(self) -> dict[str, Any]:
        """Which model it is, for `open_transformer`."""
        return {
            "model": self.model,
            "device": self.context.device,
            "precision": self.precision,
            "revision": self.revision,
        }
