"""A stand-in for the person, for demos and benchmarks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hilt.types import Batch, BatchItem, Decision

NAME = "simulated"


@dataclass(frozen=True, slots=True)
class SimulatedReviewer:
    """Answers from a key, now and then wrongly.

    What it says about an item depends only on the seed and the item's id, so two selectors that
    pick the same item are told the same. An item without a known label is skipped.

    Attributes:
        answer_key: Item ids to label names; "" or no entry means unknown.
        labels: All label names.
        error_rate: Chance of a wrong answer, drawn uniformly among the other labels.
        seconds: How long it says that an item took.
        seed: Of the errors.
    """

    answer_key: Mapping[str, str]
    labels: Sequence[str]
    error_rate: float = 0.0
    seconds: float = 5.0
    seed: int = 0

    def review(self, batch: Batch) -> list[Decision]:
        """Decide every item of the batch, in order."""
        return [self._decide(item, batch.number) for item in batch.items]

    def _decide(self, item: BatchItem, batch: int) -> Decision:
        truth = self.answer_key.get(item.item_id, "")
        return Decision(
            item_id=item.item_id,
            action="label" if truth else "skip",
            labels=(self._say(item.item_id, truth),) if truth else (),
            reviewer=NAME,
            batch=batch,
            seconds=self.seconds,
            source=NAME,
        )

    def _say(self, item_id: str, truth: str) -> str:
        digest = hashlib.sha256(f"{self.seed}:{item_id}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:16], "big"))
        others = [label for label in self.labels if label != truth]
        if rng.random() >= self.error_rate or not others:
            return truth
        return others[int(rng.integers(len(others)))]
