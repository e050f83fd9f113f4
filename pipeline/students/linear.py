"""Softmax regression on frozen embeddings: trained in a second, hard to beat with few labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from hilt.pipeline.calibration import softmax
from hilt.pipeline.students.base import Examples
from hilt.types import Floats, Items


@dataclass(frozen=True, slots=True)
class LinearStudent:
    """Logistic regression with one row of coefficients per label.

    Attributes:
        coefficients: Shape (d + 1, n_labels), float32; the last row is the bias.
    """

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
        return cls(
            _minimise(
                examples.items.embeddings, examples.targets, examples.weights, regularisation, begin
            )
        )

    def predict_proba(self, items: Items) -> Floats:
        """Predict from the items' embeddings: shape (n, n_labels), rows sum to 1."""
        assert items.embeddings is not None
        rows = np.asarray(items.embeddings, dtype=np.float32)
        return softmax(rows @ self.coefficients[:-1] + self.coefficients[-1])

    def sharpened(self, temperature: float) -> LinearStudent:
        """Return the same student with its logits divided by `temperature`."""
        return LinearStudent(self.coefficients / np.float32(temperature))

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write `model.safetensors`: `weight` (n_labels, d) and `bias` (n_labels,)."""
        weight, bias = self.coefficients[:-1].T, self.coefficients[-1]
        tensors = {"weight": np.ascontiguousarray(weight), "bias": np.ascontiguousarray(bias)}
        save_file(tensors, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path, device: str) -> LinearStudent:
        """Read what `save` wrote; a linear student runs on the processor whatever `device` is."""
        tensors = load_file(folder / "model.safetensors")
        return cls(np.vstack([tensors["weight"].T, tensors["bias"][None]]))


def _minimise(
    rows: Floats, targets: Floats, weights: Floats, regularisation: float, begin: Floats | None
) -> Floats:
    """Minimise weighted cross-entropy plus the penalty: convex, so the start does not matter."""
    inputs = torch.from_numpy(np.asarray(rows, dtype=np.float32))  # (m, d)
    wanted = torch.from_numpy(targets * weights[:, None])  # (m, n_labels)
    size = (inputs.shape[1] + 1, wanted.shape[1])
    coefficients = torch.zeros(size) if begin is None else torch.from_numpy(begin.copy())
    coefficients.requires_grad_()
    optimiser = torch.optim.LBFGS(
        [coefficients],
        max_iter=100,
        history_size=10,
        tolerance_grad=1e-3,
        tolerance_change=1e-6,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = torch.addmm(coefficients[-1], inputs, coefficients[:-1])
        misfit = -(wanted * torch.log_softmax(logits, dim=1)).sum()
        total = misfit + coefficients[:-1].square().sum() / (2 * regularisation)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return coefficients.detach().numpy()
