"""A frozen and a fine-tuned student together, as a weighted product of their distributions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeGuard

import numpy as np

from hilt.distributions import log_of, pool_logarithmically, softmax
from hilt.errors import ModelError
from hilt.files import read_object, write_json
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.students.base import Card, Student
from hilt.pipeline.students.record import checked_kind
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
    tasks: ClassVar[tuple[str, ...]] = ("single",)
    media: ClassVar[tuple[str, ...]] = ("text",)  # what a linear student is blended with reads them

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

    @property
    def reads_contents(self) -> bool:
        """Whether one of its parts does."""
        return any(part.reads_contents for part in self.parts.values())

    def sharpened(self, temperature: float) -> BlendedStudent:
        """Return the same student with its logits divided by `temperature`."""
        return BlendedStudent(self.parts, self.weights, self.temperature * temperature)

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write each part into a folder of its own, and `blend.json`."""
        for kind, part in self.parts.items():
            (folder / kind).mkdir()
            part.save(folder / kind, labels)
        blend = {"weights": dict(zip(self.parts, self.weights, strict=True))}
        write_json(folder / "blend.json", {**blend, "temperature": self.temperature})

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
        path = folder / "blend.json"
        blend = read_object(path) or {}
        weights: Any = blend.get("weights")
        temperature = blend.get("temperature")
        if not (_are_weights(weights) and _is_number(temperature) and temperature > 0):
            raise ModelError(
                f"{path} is not a blend: it needs `weights`, a number of at least 0 for each of"
                " its parts, one of them above 0, and a `temperature` above 0; train the"
                " student again."
            )
        parts = {
            kind: STUDENTS.load(checked_kind(STUDENTS, kind, (), f"A part in {path}")).load(
                folder / kind, device
            )
            for kind in weights
        }
        return cls(parts, tuple(weights.values()), temperature)


def _are_weights(weights: object) -> bool:
    if not isinstance(weights, dict) or not all(map(_is_number, weights.values())):
        return False
    return min(weights.values(), default=-1) >= 0 and max(weights.values()) > 0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
