"""Labels proposed before anyone has labelled: how near an item is to each description."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from hilt.distributions import softmax
from hilt.errors import ModelError
from hilt.proposers.base import Context
from hilt.types import Floats, Items

BLOCK_ROWS = 8192  # rows of a memory-mapped array that are cast at a time
TEMPERATURES = (1e-6, 1e6)  # beyond, all is decided, or nothing, and float32 overflows


def cosine_proposal(embeddings: Floats, label_embeddings: Floats, temperature: float) -> Floats:
    """Turn cosines to the labels into a distribution: softmax(cosine / temperature).

    Args:
        embeddings: Shape (n, d), unit rows, float16 or float32; may be memory-mapped.
        label_embeddings: Shape (n_labels, d), unit rows.
        temperature: Above 0; lower is surer.

    Returns:
        Shape (n, n_labels), float32, rows sum to 1.

    Example:
        >>> corners = np.eye(2, dtype=np.float32)
        >>> cosine_proposal(corners, corners, temperature=0.5).round(2).tolist()
        [[0.8799999952316284, 0.11999999731779099], [0.11999999731779099, 0.8799999952316284]]
    """
    columns = np.asarray(label_embeddings, dtype=np.float32).T  # (d, n_labels)
    temperature = float(np.clip(temperature, *TEMPERATURES))
    proposal = np.empty((len(embeddings), columns.shape[1]), dtype=np.float32)
    for start in range(0, len(embeddings), BLOCK_ROWS):
        block = np.asarray(embeddings[start : start + BLOCK_ROWS], dtype=np.float32)
        proposal[start : start + BLOCK_ROWS] = softmax(block @ columns / temperature)
    return proposal


class ZeroShot:
    """Proposes by the cosine between an item and the labels' descriptions.

    Args:
        context: The labels, whose descriptions are embedded on first use, and the embedder.
        temperature: Cosines are divided by it before the softmax.
        calibration: `batch` or `none`. `propose` sees a stretch of the pool and never
            calibrates; whoever has the whole pool does, with `batch_calibrate`.
    """

    tasks = ("single",)

    def __init__(
        self, context: Context, temperature: float = 0.05, calibration: str = "batch"
    ) -> None:
        self.context = context
        self.temperature = temperature
        self.calibration = calibration

    @cached_property
    def label_embeddings(self) -> Floats:
        """Shape (n_labels, d), unit rows, in the order of the labels.

        Raises:
            ModelError: If the embedder cannot compare items with descriptions.
        """
        described = self.context.embedder.embed_labels(
            [label.description for label in self.context.labels]
        )
        if described is None:
            raise ModelError(
                "zero_shot compares items with the descriptions of the labels, but the embedder has"
                " no vectors of texts in the space of the items; use another proposer, such as"
                " neighbours."
            )
        return described

    def propose(self, items: Items) -> Floats:
        """Propose labels, not yet calibrated.

        Args:
            items: n items, with their embeddings.

        Returns:
            Shape (n, n_labels), float32, rows sum to 1.

        Raises:
            ValueError: If the items have no embeddings.
        """
        if items.embeddings is None:
            raise ValueError("ZeroShot needs items.embeddings; run the embedder first.")
        return cosine_proposal(items.embeddings, self.label_embeddings, self.temperature)
