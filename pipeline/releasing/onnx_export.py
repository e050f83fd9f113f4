"""A student as ONNX: token ids in, probabilities out, for machines without torch."""

from __future__ import annotations

import copy
import importlib.util
import logging
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from hilt.errors import MissingExtraError, ModelError
from hilt.extras import pip_install
from hilt.files import write_json
from hilt.outputs import output_folder
from hilt.pipeline.releasing.cards import onnx_card
from hilt.pipeline.releasing.loaded import AnyStudent, open_embedder, open_saved
from hilt.pipeline.students.base import Student
from hilt.pipeline.students.contrastive import ContrastiveStudent, open_encoder
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.saved import SavedStudent
from hilt.pipeline.students.transformer import TransformerStudent
from hilt.progress import Progress, Silent
from hilt.proposers.base import EMBEDDERS
from hilt.proposers.models.encoder import EncoderSource
from hilt.proposers.prompts import Prompts, leaves_prompt_out, text_prompt
from hilt.tasks.base import Task

INPUTS = ("input_ids", "attention_mask")
PACKAGES = ("onnx", "onnxruntime", "onnxscript")
PROBES = (("a",), ("a longer text than the other", "b", ""))
TOLERANCE = 1e-3
TASKS = ("single",)  # the layouts of rows that a graph gives


@dataclass(frozen=True, slots=True)
class OnnxResult:
    """What was exported.

    Attributes:
        folder: Where it is.
        kind: What the student is.
        models: The files with the graphs: one, or one for each part of a blend.
        megabytes: How large they are together.
    """

    folder: Path
    kind: str
    models: tuple[Path, ...]
    megabytes: float


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """What becomes one `model.onnx`.

    Attributes:
        module: Maps token ids and mask, both (n, length), to probabilities (n, n_labels).
        tokenizer: What makes the token ids.
        max_tokens: Where texts are cut.
        prompt: What stands before every text.
    """

    module: torch.nn.Module
    tokenizer: Any
    max_tokens: int
    prompt: str = ""


class SentenceClassifier(torch.nn.Module):
    """A sentence encoder, unit vectors and a linear student, in one module."""

    def __init__(self, encoder: SentenceTransformer, head: LinearStudent) -> None:
        super().__init__()
        self.encoder = encoder
        coefficients = torch.from_numpy(head.coefficients).float()  # (d + 1, n_labels)
        self.head = torch.nn.Linear(len(coefficients) - 1, coefficients.shape[1])
        self.head.weight = torch.nn.Parameter(coefficients[:-1].T.contiguous())
        self.head.bias = torch.nn.Parameter(coefficients[-1].clone())

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Predict."""
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        for module in self.encoder.children():
            features = module(features)
        vectors = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
        return torch.softmax(self.head(vectors), dim=-1)


class SequenceClassifier(torch.nn.Module):
    """A fine-tuned encoder whose logits become probabilities."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Predict."""
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return torch.softmax(logits, dim=-1)


def onnx(
    student: AnyStudent,
    folder: Path | str,
    *,
    trust: Collection[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> OnnxResult:
    """Write a student as `model.onnx`, `tokenizer.json` and `onnx.json`, in float32.

    A blend becomes a folder for each part, and an `onnx.json` with their weights. A README.md
    says how to use it without hilt.

    Args:
        student: The folder of a student, of a release or of a workspace (its newest student), a
            workspace, or a student of `load_student`.
        folder: Where to: new, empty, or an earlier export that nobody changed.
        trust: Classes that the student's files may name and have run; see `load_student`.
        force: Move what is there to NAME.bak-1, if hilt wrote it.
        progress: Receives progress and notes.

    Raises:
        MissingExtraError: If a package that the export needs is missing.
        ModelError: If there is no student, or its task, its kind or the vectors that it reads have
            no graph; or if its encoder is not the one that it was trained with.
        OutputError: If the folder is taken, or cannot be written.
    """
    _check_packages()
    folder = Path(folder)
    read = (Path(student),) if isinstance(student, Path | str) else ()
    note = (progress or Silent()).note
    with output_folder(folder, "export to ONNX", force=force, inputs=read, note=note) as temporary:
        saved = open_saved(student, "cpu", trust)
        _check_task(saved.task)
        _write(saved.student, temporary, saved)
        _write_card(saved, temporary)
    models = tuple(sorted(folder.rglob("model.onnx")))
    size = sum(path.stat().st_size for path in models) / 1e6
    return OnnxResult(folder, saved.student.kind, models, round(size, 1))


def _check_task(task: Task) -> None:
    if task.layout not in TASKS:
        raise ModelError(
            f"A student of the task {task.name!r} cannot be exported to ONNX: a graph gives each"
            " text one probability for each label; use the student with hilt."
        )


def _write_card(saved: SavedStudent, folder: Path) -> None:
    card = onnx_card(saved.labels, saved.student.card())
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write(student: Student, folder: Path, saved: SavedStudent) -> None:
    write = _write_parts if student.kind in WITH_PARTS else _write_model
    about: dict[str, Any] = {"kind": student.kind, "labels": list(saved.labels)}
    write_json(folder / "onnx.json", about | write(student, folder, saved))


def _write_parts(student: Any, folder: Path, saved: SavedStudent) -> dict[str, Any]:  # noqa: ANN401
    for kind, part in student.parts.items():
        (folder / kind).mkdir()
        _write(part, folder / kind, saved)
    return {
        "weights": dict(zip(student.parts, student.weights, strict=True)),
        "temperature": student.temperature,
    }


def _write_model(student: Student, folder: Path, saved: SavedStudent) -> dict[str, Any]:
    graph = _graph(student, saved)
    _write_graph(graph, folder / "model.onnx")
    tokenizer = copy.deepcopy(graph.tokenizer)  # which may be that of the caller's student
    tokenizer.model_max_length = graph.max_tokens
    tokenizer.save_pretrained(folder)
    return {
        "inputs": list(INPUTS),
        "output": "probabilities",
        "max_tokens": graph.max_tokens,
        "pad_id": graph.tokenizer.pad_token_id or 0,
        "prompt": graph.prompt,
    }


def _graph(student: Student, saved: SavedStudent) -> OnnxGraph:
    if student.kind not in GRAPHS:
        raise ModelError(
            f"A student of kind {student.kind!r} cannot be exported to ONNX; only linear,"
            " transformer, contrastive and blends of these can."
        )
    return GRAPHS[student.kind](student, saved)


def _graph_of_transformer(student: TransformerStudent, _: SavedStudent) -> OnnxGraph:
    return OnnxGraph(SequenceClassifier(student.model), student.tokenizer, student.max_tokens)


def _graph_of_contrastive(student: ContrastiveStudent, _: SavedStudent) -> OnnxGraph:
    return _sentence_graph(student.encoder, student.head)


def _graph_of_linear(student: LinearStudent, saved: SavedStudent) -> OnnxGraph:
    assert saved.embedder is not None, "a linear student reads embeddings"
    return _sentence_graph(_embedding_model(saved, saved.embedder), student)


# By the kind of student.
WITH_PARTS = ("blend",)
GRAPHS: Mapping[str, Callable[[Any, SavedStudent], OnnxGraph]] = {
    "transformer": _graph_of_transformer,
    "contrastive": _graph_of_contrastive,
    "linear": _graph_of_linear,
}


def _sentence_graph(encoder: SentenceTransformer, head: LinearStudent) -> OnnxGraph:
    longest = encoder.max_seq_length or encoder.tokenizer.model_max_length
    module, prompt = SentenceClassifier(encoder, head), text_prompt(encoder)
    return OnnxGraph(module, encoder.tokenizer, int(longest), prompt)


def _embedding_model(saved: SavedStudent, embedder: dict[str, Any]) -> SentenceTransformer:
    """Open the model whose vectors a linear student reads, once it is known to be the same."""
    kind = embedder.get("kind", "sentence_transformers")
    if EMBEDDERS.is_own(kind):
        raise ModelError(
            f"The student reads vectors of {kind!r}, which has no ONNX graph; only `embedder:"
            " {kind: sentence_transformers}` has one."
        )
    open_embedder(saved, "cpu")
    prompts = Prompts(embedder.get("prompt"), embedder.get("description_prompt"))
    encoder = EncoderSource(embedder["model"], embedder.get("revision"), prompts)
    model = open_encoder(
        encoder.place, "cpu", embedder.get("max_tokens"), encoder.revision, prompts
    )
    if text_prompt(model) and leaves_prompt_out(model):
        raise ModelError(
            f"The encoder {encoder.model!r} leaves its prompt out of the vectors, which a graph"
            " cannot do; set `embedder.prompt: ''`, or choose another encoder, and train"
            " again."
        )
    return model


def _write_graph(graph: OnnxGraph, path: Path) -> None:
    """Export a graph of any batch and length, and try it."""
    dynamic = {0: "batch", 1: "length"}
    graph = replace(graph, module=_on_processor(graph.module))
    with _quiet_export():
        torch.onnx.export(
            graph.module.eval(),
            _tokens(graph, PROBES[1]),
            str(path),
            input_names=list(INPUTS),
            output_names=["probabilities"],
            dynamic_shapes=(dynamic, dynamic),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    _check_graph(graph, path)


def _on_processor(module: torch.nn.Module) -> torch.nn.Module:
    """Give the module itself, or a copy of one that is on an accelerator, where it may stay."""
    elsewhere = any(parameter.device.type != "cpu" for parameter in module.parameters())
    return copy.deepcopy(module).cpu() if elsewhere else module


def _check_graph(graph: OnnxGraph, path: Path) -> None:
    """Compare the written file with the module on batches of other shapes than it was made with."""
    import onnxruntime  # type: ignore[import-untyped]

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for texts in PROBES:
        inputs = _tokens(graph, texts)
        with torch.inference_mode():
            expected = graph.module(*inputs).numpy()
        arrays = {name: rows.numpy() for name, rows in zip(INPUTS, inputs, strict=True)}
        off = float(np.abs(session.run(None, arrays)[0] - expected).max())
        if not off < TOLERANCE:
            raise ModelError(
                f"The ONNX graph of this encoder gives different probabilities, off by {off:.3g};"
                " upgrade torch and onnxscript, or use the student without ONNX."
            )


def _tokens(graph: OnnxGraph, texts: tuple[str, ...]) -> tuple[torch.Tensor, ...]:
    encoded = graph.tokenizer(
        [graph.prompt + text for text in texts],
        truncation=True,
        max_length=graph.max_tokens,
        padding=True,
        return_tensors="pt",
    )
    return tuple(encoded[name] for name in INPUTS)


def _check_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"The export to ONNX needs {', '.join(missing)}; install it with {pip_install('onnx')}."
        )


@contextmanager
def _quiet_export() -> Iterator[None]:
    """Keep the exporter from telling of operators that no text encoder has; then restore it."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, of its own deprecated functions
            yield
    finally:
        logger.setLevel(level)
