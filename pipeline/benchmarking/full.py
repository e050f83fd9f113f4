"""The ceiling: each kind of student trained on every label of the pool."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from hilt.pipeline.configuration.sections import Student as StudentSettings
from hilt.pipeline.cycle import labelled_test
from hilt.pipeline.measure import measure
from hilt.pipeline.students.base import Examples, Student, one_hot, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.transformer import TransformerStudent
from hilt.pipeline.workspace import Workspace, open_workspace
from hilt.proposers.encoder import resolve_device, resolve_encoder
from hilt.types import Items

FULL_STREAM = 8  # what is held out to stop is drawn from (seed, 8)
HELD_OUT = 0.1
MOST_TEXTS = 40_000  # texts that a fine-tuning reads, over all epochs
LEAST_EPOCHS = 3


def full_kinds(settings: StudentSettings) -> tuple[str, ...]:
    """List the kinds of student that the configuration allows."""
    return ("linear", "transformer") if settings.kind == "auto" else (settings.kind,)


def run_full(base: Path, kind: str, device: str) -> dict[str, Any]:
    """Train one kind of student on every label of the pool, and measure it."""
    started = time.monotonic()
    workspace = open_workspace(base, device=device)
    student = _fit(workspace, kind, _every_label(workspace))
    test, positions = labelled_test(workspace)
    found = measure(student.predict_proba(test), positions)
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "seconds": time.monotonic() - started,
    }


def _every_label(workspace: Workspace) -> Examples:
    config, pool = workspace.config, workspace.pool
    key = pool.answer_key(config.label_names)
    rows = np.flatnonzero(key >= 0)
    items = pool.items(rows)
    known = Items(items.ids, items.texts, workspace.embeddings.open()[rows].astype(np.float32))
    targets = one_hot(key[rows], len(config.labels))
    return Examples(known, targets, np.ones(len(rows), dtype=np.float32))


def _fit(workspace: Workspace, kind: str, known: Examples) -> Student:
    config = workspace.config
    if kind == "linear":
        return LinearStudent.fit(known, config.student.regularisation)
    rng = np.random.default_rng([config.seed, FULL_STREAM])
    held_out = rng.permutation(len(known)) < HELD_OUT * len(known)
    settings = config.student.transformer
    epochs = int(np.clip(MOST_TEXTS // len(known), LEAST_EPOCHS, settings.epochs))
    return TransformerStudent.fit(
        _part(known, ~held_out),
        settings,
        encoder=resolve_encoder(settings.model or config.embedder.model),
        device=resolve_device(workspace.device),
        seed=config.seed,
        validation=_part(known, held_out),
        epochs=epochs,
    )


def _part(examples: Examples, keep: np.ndarray[Any, Any]) -> Examples:
    rows = np.flatnonzero(keep)
    return Examples(take(examples.items, rows), examples.targets[rows], examples.weights[rows])
