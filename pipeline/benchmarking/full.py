"""The ceiling: each kind of student trained on every label of the pool."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from hilt.pipeline.calibration import negative_log_likelihood
from hilt.pipeline.configuration.sections import Student as StudentSettings
from hilt.pipeline.cycle import labelled_test
from hilt.pipeline.measure import measure
from hilt.pipeline.random_streams import Stream, generator
from hilt.pipeline.students.base import STUDENTS, Examples, Student, one_hot, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.workspace import Workspace, open_workspace
from hilt.proposers.encoder import resolve_device
from hilt.types import Items

Mask = np.ndarray[Any, Any]

HELD_OUT = 0.1
STRENGTHS = (3.0, 10.0, 30.0, 100.0)  # of which the best is taken: a ceiling may be tuned
MOST_TEXTS = 20_000  # texts that a fine-tuning reads, over all epochs
LEAST_EPOCHS = 3
MOST_EPOCHS = {"contrastive": 4, "transformer": 8}


def full_kinds(settings: StudentSettings) -> tuple[str, ...]:
    """List the kinds of student that the configuration allows."""
    return ("linear", "contrastive", "transformer") if settings.kind == "auto" else (settings.kind,)


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
    rng = generator(config.seed, Stream.CEILING)
    held_out = rng.permutation(len(known)) < HELD_OUT * len(known)
    if kind == "linear":
        return _fit_linear(known, held_out, config.student.regularisation)
    settings = getattr(config.student, kind)
    epochs = int(np.clip(MOST_TEXTS // len(known), LEAST_EPOCHS, MOST_EPOCHS[kind]))
    student: Student = STUDENTS.load(kind).fit(
        _part(known, ~held_out),
        settings,
        encoder=config.student.encoder_of(kind, config.embedder.source),
        device=resolve_device(workspace.device),
        seed=config.seed,
        validation=_part(known, held_out),
        epochs=epochs,
    )
    return student


def _fit_linear(known: Examples, held_out: Mask, regularisation: float | None) -> Student:
    """Fit with the penalty that predicts what is held out best, then on everything."""
    checked = _part(known, held_out)

    def loss(strength: float) -> float:
        student = LinearStudent.fit(_part(known, ~held_out), strength)
        predicted = student.predict_proba(checked.items)
        return float(negative_log_likelihood(predicted, checked.targets.argmax(axis=1)).mean())

    candidates = STRENGTHS if regularisation is None else (regularisation,)
    return LinearStudent.fit(known, min(candidates, key=loss))


def _part(examples: Examples, keep: Mask) -> Examples:
    rows = np.flatnonzero(keep)
    return Examples(take(examples.items, rows), examples.targets[rows], examples.weights[rows])
