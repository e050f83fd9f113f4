"""A model of transformers with its tokenizer, opened on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilt.errors import ModelError
from hilt.plain_files import shown
from hilt.proposers.models.encoder import (
    encoder_folder,
    file_checksum,
    files_identity,
    first_line,
    quiet_loading,
    resolve_device,
    resolve_precision,
)


@dataclass(frozen=True, slots=True)
class Transformer:
    """An opened model.

    Attributes:
        tokenizer: A fast tokenizer.
        model: In evaluation mode, on `device`.
        device: `cpu`, `cuda` or `mps`.
    """

    tokenizer: Any
    model: Any
    device: str

    def cut(self, texts: Sequence[str], max_tokens: int) -> list[str]:
        """Cut texts where their token number `max_tokens` ends; special tokens do not count."""
        if len(texts) == 0:
            return []
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            truncation=True,
            max_length=max_tokens,
            return_offsets_mapping=True,
            verbose=False,
        )
        return [
            text[: spans[-1][1]] if len(spans) == max_tokens else text
            for text, spans in zip(texts, encoded["offset_mapping"], strict=True)
        ]


def open_transformer(
    head: str,
    model: str,
    *,
    device: str,
    precision: str,
    source: str | None = None,
    **options: str | None,
) -> Transformer:
    """Open a model and its tokenizer, silently.

    Args:
        head: The class of transformers that opens it, such as `AutoModelForCausalLM`.
        model: A hub name or a folder; what messages call it.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto`, `float32`, `bfloat16` or `float16`.
        source: The folder to open where that is not called `model`.
        options: Passed on to `from_pretrained`: `revision`, `gguf_file`.

    Raises:
        ModelError: If it cannot be opened.
    """
    import transformers

    place = resolve_device(device)
    dtype = resolve_precision(precision, place)
    if place == "cpu":
        # tokenizers prints a warning at every fork after it ran threads.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        with quiet_loading():
            tokenizer = transformers.AutoTokenizer.from_pretrained(source or model, **options)
            opened = getattr(transformers, head).from_pretrained(
                source or model, dtype=dtype, **options
            )
    except Exception as error:
        # What a model's files can raise is open-ended: OSError, ValueError, safetensors' own.
        raise ModelError(
            f"The model {shown(model)!r} cannot be loaded: {first_line(error)}. Give a folder that"
            " contains it, or go online once to fetch it."
        ) from error
    return Transformer(tokenizer, opened.eval().to(place), place)


def transformer_identity(
    model: str,
    *,
    device: str,
    precision: str,
    source: str | None = None,
    revision: str | None = None,
    gguf_file: str | None = None,
) -> dict[str, str]:
    """Say what tells an opened model from others of its name: its files, and its precision.

    The arguments are those of `open_transformer`.

    Returns:
        The checksums are missing where its files are nowhere on this machine.
    """
    dtype = resolve_precision(precision, resolve_device(device))
    if gguf_file is None:
        files = files_identity(encoder_folder(source or model, revision))
    else:
        files = {"checksum": file_checksum(Path(source or model, gguf_file))}
    return {"model": model, "precision": str(dtype).removeprefix("torch."), **files}
