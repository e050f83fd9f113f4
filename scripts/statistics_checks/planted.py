"""A pool of which the truth is known: a group of near-duplicates among items that are like none."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

import hilt
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Floats

DIMENSION = 16
NOTICE = "Notice"  # the first word of every text of the group
KIND = f"{__name__}:PlantedEmbedder"


class PlantedEmbedder:
    """Gives notices nearly the same vector, and every other text one of its own.

    Args:
        settings: None of them matters.
    """

    dimension = DIMENSION
    max_tokens = 100

    def __init__(self, **settings: object) -> None:
        self.settings = settings

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the result."""
        return {"model": KIND}

    def embed(self, texts: list[str]) -> Floats:
        """Draw unit vectors from the texts: shape (n, 16), float32."""
        rows = np.stack([self._row(text) for text in texts])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def embed_labels(self, descriptions: list[str]) -> Floats:
        """Draw vectors for descriptions as for other texts."""
        return self.embed(descriptions)

    def token_counts(self, texts: list[str]) -> list[int]:
        """Count words."""
        return [len(text.split()) for text in texts]

    @staticmethod
    def _row(text: str) -> Floats:
        own = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSION)
        return np.ones(DIMENSION) + 0.1 * own if text.startswith(NOTICE) else own


def make_pool(folder: Path, texts: Sequence[str], audit: float) -> Workspace:
    """Make a workspace of some texts, with proposals.

    Args:
        folder: A new one.
        texts: Of the items.
        audit: Share of a batch that is drawn for the audit.
    """
    folder.mkdir(parents=True)
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    config = {
        "pool": {"path": "pool.csv", "id": "id", "text": "text"},
        "labels": {"yes": "This is so.", "no": "This is not so."},
        "embedder": {"kind": KIND},
        "batch": {"audit": audit},
        "selector": {"kind": "random"},
        "device": "cpu",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    workspace = hilt.init(folder / "work", folder / "config.yaml")
    hilt.propose(workspace)
    return workspace
