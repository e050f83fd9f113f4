"""The seams of this folder: what gives items a distribution over the labels, or a vector."""

from __future__ import annotations

from typing import Protocol

from hilt.registry import Registry
from hilt.types import Floats, Items


class Proposer(Protocol):
    """Gives every item a distribution over the labels."""

    def propose(self, items: Items) -> Floats:
        """Propose labels.

        Args:
            items: n items, with their embeddings.

        Returns:
            Shape (n, n_labels), rows sum to 1.
        """
        ...


class Embedder(Protocol):
    """Gives every text a unit vector."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read; the rest is cut off."""
        ...

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the result: the model, its checksum or revision, the precision."""
        ...

    def embed(self, texts: list[str]) -> Floats:
        """Embed texts.

        Returns:
            Shape (n, d), float32, unit rows, in the order of `texts`.
        """
        ...

    def token_counts(self, texts: list[str]) -> list[int]:
        """Count each text's tokens, before any cut."""
        ...


PROPOSERS = Registry("proposer", {"zero_shot": "hilt.proposers.zero_shot:ZeroShot"})
EMBEDDERS = Registry(
    "embedder",
    {"sentence_transformers": "hilt.proposers.sentence_embedder:SentenceEmbedder"},
)
