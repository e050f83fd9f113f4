"""Vectors from any sentence-transformers model, in batches of equal work."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hilt.plain_files import is_folder
from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    EncoderSource,
    FileVersion,
    encoder_folder,
    file_version,
    loading_error,
    quiet_loading,
    resolve_device,
    resolve_precision,
    settings_checksum,
    weights_checksum,
)
from hilt.proposers.models.token_batches import pad_rows, plan_batches, token_budget
from hilt.proposers.prompts import Prompts, description_prompt, leaves_prompt_out, text_prompt
from hilt.types import Floats, Integers

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

# On a processor a batch should stay near the caches: with 8192 tokens MiniLM needs 1.3 times as
# long for a text as with 3072, with 16384 1.6 times. An accelerator wants to be filled.
CPU_BATCH_TOKENS = 3072

UNLIMITED = 2**31 - 1


class SentenceEmbedder:
    """Embeds texts with a sentence-transformers model, which opens on first use.

    Args:
        model: A name on the hub, or a folder.
        revision: Commit, tag or branch on the hub; with one, no packaged copy is used.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto`, `float32`, `bfloat16` or `float16`: the weights of the encoder.
            Pooling and what follows it are float32 always.
        max_tokens: Cut texts after so many tokens; None, or more: the model's own length.
        batch_tokens: Tokens in one batch, padding included; None: what suits the device.
        prompt: What stands before every text; None: what the model's own files say.
        description_prompt: What stands before the description of a label; None: the same.
    """

    media = ("text",)

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        revision: str | None = None,
        device: str = "auto",
        precision: str = "auto",
        max_tokens: int | None = None,
        batch_tokens: int | None = None,
        prompt: str | None = None,
        description_prompt: str | None = None,
    ) -> None:
        self._name = model
        self._revision = revision
        self._prompts = Prompts(prompt, description_prompt)
        self._device_setting = device
        self._precision = precision
        self._max_tokens = max_tokens
        self._batch_tokens = batch_tokens

    def __getstate__(self) -> dict[str, Any]:
        """Carry the settings alone to another process; the model opens anew there."""
        opened = ("_model", "_source", "_device", "checksum")
        return {name: value for name, value in vars(self).items() if name not in opened}

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, special ones included; the rest is cut off."""
        # Models without a length say None, infinity or 1e30.
        return int(min(self._model.max_seq_length or UNLIMITED, UNLIMITED))

    @property
    def prompt(self) -> str:
        """What stands before every text, mostly nothing."""
        return text_prompt(self._model)

    @property
    def fingerprint(self) -> dict[str, str]:
        """The model, its commit, checksums of its files, the precision, the cut, the prompt."""
        made = {
            "model": self._name,
            "precision": str(resolve_precision(self._precision, self._device)).split(".")[-1],
            "max_tokens": str(self.max_tokens),
            **({"prompt": self.prompt} if self.prompt else {}),
        }
        folder = self._folder
        if not is_folder(self._source):
            commit = getattr(self._model.config, "_commit_hash", None)
            made["revision"] = str(commit or self._revision or "main")
        if folder is None:
            return made
        return {**made, "checksum": self.checksum, "files": settings_checksum(folder)}

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the weights, wherever they are from; empty where the hub's copy is lost."""
        return "" if self._folder is None else weights_checksum(self._folder)

    @property
    def _folder(self) -> Path | None:
        """Where the model's files are; None where the hub's copy is lost."""
        if is_folder(self._source):
            return Path(self._source)
        _ = self._model  # which fetches it
        return encoder_folder(self._name, self._revision)

    def embed(self, texts: list[str]) -> Floats:
        """Embed texts.

        Args:
            texts: n texts, which may be empty.

        Returns:
            Shape (n, d), float32, unit rows, in the order of `texts`.
        """
        return self._embed(texts, self.prompt)

    def embed_labels(self, descriptions: list[str]) -> Floats:
        """Embed descriptions of labels, after their own prompt where one is set."""
        if self._prompts.description is None:
            return self.embed(descriptions)
        return self._embed(descriptions, description_prompt(self._model))

    def _embed(self, texts: list[str], prompt: str) -> Floats:
        import torch

        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with torch.inference_mode():
            if not _takes_tokens(self._model) or (prompt and leaves_prompt_out(self._model)):
                vectors = self._model.encode(
                    texts, prompt=prompt, show_progress_bar=False, convert_to_tensor=True
                ).float()
                return _unit_rows(vectors)
            rows = self._tokenise([prompt + text for text in texts])
            batches = plan_batches(np.array([len(row) for row in rows]), self._token_budget)
            vectors = torch.cat([self._run([rows[i] for i in batch]) for batch in batches])
            return _unit_rows(vectors)[_places(batches)]

    def token_counts(self, texts: list[str]) -> list[int]:
        """Count each text's tokens, the prompt and special ones included, before any cut."""
        tokenizer = self._model.tokenizer
        texts = [self.prompt + text for text in texts]
        if not _takes_tokens(self._model):
            return [len(tokenizer.encode(text)) for text in texts]
        return [len(row) for row in self._tokenise(texts, truncation=False)] if texts else []

    def _tokenise(self, texts: list[str], truncation: bool = True) -> list[list[int]]:
        encoded = self._model.tokenizer(
            texts,
            truncation=truncation,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        rows: list[list[int]] = encoded["input_ids"]
        return rows

    def _run(self, rows: list[list[int]]) -> torch.Tensor:
        """Put one batch through the model's own modules.

        Returns:
            Shape (n, d), float32, on the model's device.
        """
        import torch

        tokenizer = self._model.tokenizer
        ids, mask = pad_rows(rows, tokenizer.pad_token_id or 0, tokenizer.padding_side == "left")
        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids).to(self._device),
            "attention_mask": torch.from_numpy(mask).to(self._device),
        }
        encoder, *rest = self._model.children()
        features = {name: _float32(value) for name, value in encoder(features).items()}
        for module in rest:
            features = module(features)
        vectors: torch.Tensor = features["sentence_embedding"]
        return vectors

    @property
    def _token_budget(self) -> int:
        return self._batch_tokens or token_budget(self._device, CPU_BATCH_TOKENS)

    @cached_property
    def _device(self) -> str:
        return resolve_device(self._device_setting)

    @cached_property
    def _source(self) -> str:
        return EncoderSource(self._name, self._revision).place

    @cached_property
    def _model(self) -> SentenceTransformer:
        if self._device == "cpu":
            # tokenizers prints a warning at every fork after it ran threads; beside an encoder
            # on the same processor, threads gain nothing.
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        dtype = resolve_precision(self._precision, self._device)
        folder = Path(self._source)
        device, cut = self._device, self._max_tokens
        try:
            paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            files = tuple(file_version(path) for path in paths)
            return _open(self._source, self._revision, device, dtype, cut, self._prompts, files)
        except Exception as error:
            # What a model's files can raise is open-ended: OSError, ValueError, safetensors' own.
            raise loading_error(self._name, error) from error


@lru_cache(
    maxsize=1
)  # every step of the loop has an embedder of its own, nearly always of one model
def _open(
    source: str,
    revision: str | None,
    device: str,
    dtype: torch.dtype,
    max_tokens: int | None,
    prompts: Prompts,
    _files: tuple[FileVersion, ...],
) -> SentenceTransformer:
    """Open a model, which nothing may change: whoever asks for the same one gets it too."""
    from sentence_transformers import SentenceTransformer

    with quiet_loading():
        model = SentenceTransformer(
            source, revision=revision, device=device, model_kwargs={"dtype": dtype}
        ).eval()
    if _takes_tokens(model):
        for module in list(model.children())[1:]:
            module.float()
    if max_tokens is not None and isinstance(model.max_seq_length, int):
        model.max_seq_length = min(max_tokens, model.max_seq_length)
    prompts.put_into(model)
    return model


def _takes_tokens(model: SentenceTransformer) -> bool:
    """Say whether plain token ids are all that the first module needs.

    Else (chat templates, images, word vectors) `SentenceTransformer.encode` does the
    work, slower.
    """
    first: Any = model[0]
    tokenizer = model.tokenizer
    return (
        list(getattr(first, "modality_config", ())) == ["text"]
        and getattr(tokenizer, "is_fast", False)
        and tokenizer.pad_token_type_id == 0
        and not getattr(first, "processing_kwargs", None)
    )


def _float32(value: Any) -> Any:  # noqa: ANN401 - features hold tensors and plain values
    is_float = getattr(value, "is_floating_point", None)
    return value.float() if is_float is not None and is_float() else value


def _unit_rows(vectors: torch.Tensor) -> Floats:
    import torch

    unit: Floats = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
    return unit


def _places(batches: list[Integers]) -> Integers:
    """Say where each row went, given the rows in the order in which batches took them."""
    order = np.concatenate(batches)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places
