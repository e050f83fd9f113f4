"""A third party's medium: two texts side by side, and an embedder that makes one vector of both."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from hilt.media.shown import Shown
from hilt.types import Floats

Pair = tuple[str, str]
WIDTH = 256


class Pairs:
    """Two texts, of which the label says how they relate."""

    name = "pairs"
    columns = ("left", "right")

    def read(self, left: str, right: str) -> Pair:
        """Keep both."""
        return left, right

    def shown(self, pair: Pair) -> Shown:
        """Show both, each with its name."""
        return Shown(dict(zip(self.columns, pair, strict=True)))

    def is_empty(self, pair: Pair) -> bool:
        """Without one of them there is nothing to compare."""
        return not all(text.strip() for text in pair)


class BagOfPairs:
    """Embeds which words both texts share, and which stand on one side only."""

    media = ("pairs",)
    dimension = 2 * WIDTH
    max_tokens = 1000

    def __init__(self, device: str, seed: int = 0) -> None:
        self.seed = seed

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the result."""
        return {"model": "bag of pairs", "seed": str(self.seed)}

    def embed(self, pairs: Sequence[Pair]) -> Floats:
        """Embed pairs: shape (n, 512), unit rows."""
        rows = np.stack([self._row(*pair) for pair in pairs])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def embed_labels(self, descriptions: Sequence[str]) -> None:
        """Embed none: a description is no pair."""

    def token_counts(self, pairs: Sequence[Pair]) -> list[int]:
        """Count words."""
        return [len(f"{left} {right}".split()) for left, right in pairs]

    def _row(self, left: str, right: str) -> Floats:
        one, other = set(left.lower().split()), set(right.lower().split())
        row = np.full(2 * WIDTH, 1e-3)
        for word in one | other:
            side = WIDTH * (word in one and word in other)
            row[side + crc32(f"{self.seed} {word}".encode()) % WIDTH] += 1
        return row
