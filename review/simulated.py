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
    pick the same item are told the same; asked again, it errs anew. An item without a known label
    is skipped.

    Attributes:
        answer_key: Item ids to label names; "" or no entry means unknown.
        labels: All label names.
        error_rate: Chance of a wrong answer, drawn uniformly among the other labels.
        seconds: How long it says that an item took.
        seconds_per_character: And how much longer for each character of the text.
        seconds_noise: Standard deviation of the logarithm of that time.
        seed: Of the errors, and of the time.
    """

    answer_key: Mapping[str, str]
    labels: Sequence[str]
    error_rate: float = 0.0
    seconds: float = 5.0
    seconds_per_character: float = 0.0
    seconds_noise: float = 0.0
    seed: int = 0

    def review(self, batch: Batch) -> list[Decision]:
        """Decide every item of the batch, in order."""
        return [self._decide(item, batch.number) for item in batch.items]

    def seconds_for(self, item_id: str, text: str) -> float:
        """Say how long an item takes: longer texts longer, and by chance."""
        seconds = self.seconds + self.seconds_per_character * len(text)
        noise = _rng(f"{self.seed}:{item_id}:seconds").normal(scale=self.seconds_noise)
        return round(seconds * float(np.exp(noise)), 2)

    def _decide(self, item: BatchItem, batch: int) -> Decision:
        asked = f"{item.item_id}:{batch}" if item.reason == "recheck" else item.item_id
        truth = self.answer_key.get(item.item_id, "")
        return Decision(
            item_id=item.item_id,
            action="label" if truth else "skip",
            labels=(self._say(asked, truth),) if truth else (),
            reviewer=NAME,
            batch=batch,
            seconds=self.seconds_for(item.item_id, item.text),
            source=NAME,
            kind="simulated",
        )

    def _say(self, asked: str, truth: str) -> str:
        rng = _rng(f"{self.seed}:{asked}")
        others = [label for label in self.labels if label != truth]
        if rng.random() >= self.error_rate or not others:
            return truth
        return others[int(rng.integers(len(others)))]


def _rng(what: str) -> np.random.Generator:
    """Make a generator that depends on nothing but a text."""
    digest = hashlib.sha256(what.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
