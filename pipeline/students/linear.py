"""Softmax regression on frozen embeddings: trained in a second, hard to beat with few labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from hilt.distributions import softmax
from hilt.errors import ModelError
from hilt.pipeline.students.base import Card, Examples
from hilt.types import Floats, Items

SMALL_PRODUCT = 20_000_000
CURVATURE = 0.25  # of the softmax, typically; its bound is a half


@dataclass(frozen=True, slots=True)
class LinearStudent:
    """Logistic regression with one row of coefficients per label.

    Attributes:
        coefficients: Shape (d + 1, n_labels), float32; the last row is the bias.
    """

    kind: ClassVar[str] = "linear"
    tasks: ClassVar[tuple[str, ...]] = ("single",)

    coefficients: Floats

    @classmethod
    def fit(
        cls, examples: Examples, regularisation: float, start: LinearStudent | None = None
    ) -> LinearStudent:
        """Fit by maximum likelihood with an L2 penalty.

        Args:
            examples: What to learn, with embeddings.
            regularisation: C; the penalty on the coefficients is their square over 2 C.
            start: Where to begin; the optimum is the same, only reached sooner.
        """
        assert examples.items.embeddings is not None
        begin = None if start is None else start.coefficients
        rows = np.asarray(examples.items.embeddings, dtype=np.float32)
        # Threads of numpy's own wait for each other far longer than they work on what is so small.
        with threadpool_limits(1, user_api="blas"):
            targets, weights = examples.targets.rows.values, examples.targets.weights
            return cls(_minimise(rows, targets, weights, regularisation, begin))

    @classmethod
    def average(cls, students: Sequence[LinearStudent]) -> LinearStudent:
        """Give the mean of some students of the same labels."""
        return cls(np.mean([student.coefficients for student in students], axis=0))

    def predict_proba(self, items: Items) -> Floats:
        """Predict from the items' embeddings: shape (n, n_labels), rows sum to 1."""
        assert items.embeddings is not None
        rows = np.asarray(items.embeddings, dtype=np.float32)
        dimension = len(self.coefficients) - 1
        if rows.shape[1] != dimension:
            raise ModelError(
                f"The student reads vectors of {dimension} numbers, but the encoder returns"
                f" {rows.shape[1]}; restore the encoder that it was trained with, or train"
                " again."
            )
        return softmax(rows @ self.coefficients[:-1] + self.coefficients[-1])

    @property
    def reads_embeddings(self) -> bool:
        """Yes: it has no encoder of its own."""
        return True

    @property
    def reads_contents(self) -> bool:
        """No."""
        return False

    def sharpened(self, temperature: float) -> LinearStudent:
        """Return the same student with its logits divided by `temperature`."""
        return LinearStudent(self.coefficients / np.float32(temperature))

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write `model.safetensors`: `weight` (n_labels, d) and `bias` (n_labels,)."""
        weight, bias = self.coefficients[:-1].T, self.coefficients[-1]
        tensors = {"weight": np.ascontiguousarray(weight), "bias": np.ascontiguousarray(bias)}
        save_file(tensors, folder / "model.safetensors")

    def card(self, place: str = ".") -> Card:
        """Say what it is."""
        return Card("a logistic regression on the vectors of an encoder that was not fine-tuned")

    @classmethod
    def load(cls, folder: Path, device: str) -> LinearStudent:
        """Read what `save` wrote; a linear student runs on the processor whatever `device` is."""
        path = folder / "model.safetensors"
        tensors = load_file(path)
        weight, bias = tensors["weight"], tensors["bias"]
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ModelError(
                f"{path} is not a student: its `weight` has the shape {weight.shape} and its"
                f" `bias` {bias.shape}; train the student again."
            )
        coefficients = np.vstack([weight.T, bias[None]])
        if coefficients.dtype.kind != "f" or not np.isfinite(coefficients).all():
            raise ModelError(
                f"{path} is not a student: it contains numbers that are not finite, or whole"
                " numbers; train the student again."
            )
        return cls(coefficients)


def usual_regularisation(n_labels: int) -> float:
    """Say what C is good where none is configured: more labels leave fewer examples to each.

    10 up to ten labels, then as many as there are labels, and 100 from a hundred on.
    """
    return float(np.clip(n_labels, 10, 100))


def _minimise(
    rows: Floats, targets: Floats, weights: Floats, regularisation: float, begin: Floats | None
) -> Floats:
    """Minimise weighted cross-entropy plus the penalty: convex, so the start does not matter.

    The coefficients are `scale @ inner`, and the search is for `inner`, in which the loss is
    about as steep in every direction: that takes a quarter of the steps. They lie in the span of
    the rows, so with fewer rows than dimensions the search is in that span.

    Source: Boehning 1992, whose bound on the second derivatives gives `scale`.
    """
    if len(rows) < rows.shape[1]:
        span, inside = np.linalg.qr(rows.T)  # (d, m), (m, m)
        if begin is not None:
            begin = np.vstack([span.T @ begin[:-1], begin[-1:]])
        found = _minimise(inside.T, targets, weights, regularisation, begin)
        return np.vstack([span @ found[:-1], found[-1:]])
    ones = np.ones((len(rows), 1), dtype=np.float32)
    inputs = np.hstack([rows, ones])  # (m, d + 1)
    penalty = np.full(inputs.shape[1], 1 / regularisation, dtype=np.float32)
    penalty[-1] = 0  # the bias is free
    scale = _scale(inputs, weights, penalty)
    scaled = torch.from_numpy(inputs @ scale)
    shrinkage = torch.from_numpy(scale.T @ (penalty[:, None] * scale))
    wanted = torch.from_numpy((targets * weights[:, None]).astype(np.float32))  # (m, n_labels)
    weight = wanted.sum(dim=1, keepdim=True)
    size = (inputs.shape[1], wanted.shape[1])

    def loss(flat: Floats) -> tuple[float, Floats]:
        inner = torch.from_numpy(flat.astype(np.float32).reshape(size))
        logarithms = torch.log_softmax(scaled @ inner, dim=1)
        excess = logarithms.exp() * weight - wanted  # (m, n_labels)
        shrunk = shrinkage @ inner
        misfit = -(wanted * logarithms).sum(dtype=torch.float64)
        value = float(misfit + (inner * shrunk).sum(dtype=torch.float64) / 2)
        return value, (scaled.T @ excess + shrunk).numpy().ravel().astype(np.float64)

    start = np.zeros(size) if begin is None else np.linalg.solve(scale, begin)
    with _threads_for(scaled.numel() * size[1]):
        result = minimize(
            loss,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 200, "ftol": 1e-6, "gtol": 1e-3},
        )
    return scale @ np.asarray(result.x, dtype=np.float32).reshape(size)


def _scale(inputs: Floats, weights: Floats, penalty: Floats) -> Floats:
    """Find the map, shape (d + 1, d + 1), under which the curvature is about 1 everywhere."""
    curvature = CURVATURE * (inputs * weights[:, None]).T @ inputs + np.diag(penalty + 1e-3)
    factor = np.linalg.cholesky(curvature.astype(np.float64))
    upright = solve_triangular(factor, np.eye(len(factor)), lower=True).T
    return np.asarray(upright, dtype=np.float32)


@contextmanager
def _threads_for(multiplications: int) -> Iterator[None]:
    """Use one thread for a small product: waiting for a second costs more than it brings."""
    before = torch.get_num_threads()
    if multiplications < SMALL_PRODUCT:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
