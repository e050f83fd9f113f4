"""A frozen and a fine-tuned student together, as a weighted product of their distributions."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from hilt.pipeline.calibration import log_of, pool_logarithmically, softmax
from hilt.pipeline.students.base import STUDENTS, Card, Student
from hilt.types import Floats, Items


@dataclass(frozen=True, slots=True)
class BlendedStudent:
    """Several students, each with a weight.

    Attributes:
        parts: The students by kind.
        weights: One per part, not negative.
        temperature: What the blended logits are divided by.
    """

    kind: ClassVar[str] = "blend"

    parts: dict[str, Student]
    weights: tuple[float, ...]
    temperature: float = 1.0

    def predict_proba(self, items: Items) -> Floats:
        """Predict from texts and embeddings: shape (n, n_labels), rows sum to 1."""
        distributions = [part.predict_proba(items) for part in self.parts.values()]
        blended = pool_logarithmically(distributions, np.array(self.weights))
        return softmax(log_of(blended) / np.float32(self.temperature))

    @property
    def reads_embeddings(self) -> bool:
        """Whether one of its parts does."""
        return any(part.reads_embeddings for part in self.parts.values())

    def sharpened(self, temperature: float) -> BlendedStudent:
        """Return the same student with its logits divided by `temperature`."""
        return BlendedStudent(self.parts, self.weights, self.temperature * temperature)

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write each part into a folder of its own, and `blend.json`."""
        for kind, part in self.parts.items():
            (folder / kind).mkdir()
            part.save(folder / kind, labels)
        blend = {"weights": dict(zip(self.parts, self.weights, strict=True))}
        text = json.dumps({**blend, "temperature": self.temperature}, indent=1)
        (folder / "blend.json").write_text(text + "\n", encoding="utf-8")

    def card(self, place: str = ".") -> Card:
        """Say what its parts are, and how each is used without hilt."""
        cards = {kind: part.card(f"{place}/{kind}") for kind, part in self.parts.items()}
        shares = np.array(self.weights) / sum(self.weights)
        described = [
            f"{card.description} (`{kind}/`, weight {share:.2f})"
            for share, (kind, card) in zip(shares, cards.items(), strict=True)
        ]
        ways = [
            replace(way, about=f"This is the part `{kind}/` alone, not the blend. {way.about}")
            for kind, card in cards.items()
            for way in card.other_ways
        ]
        return Card(f"a blend of {'; and of '.join(described)}", other_ways=tuple(ways))

    @classmethod
    def load(cls, folder: Path, device: str) -> BlendedStudent:
        """Read what `save` wrote."""
        blend = json.loads((folder / "blend.json").read_text(encoding="utf-8"))
        parts = {kind: STUDENTS.load(kind).load(folder / kind, device) for kind in blend["weights"]}
        return cls(parts, tuple(blend["weights"].values()), blend["temperature"])
