"""A stand-in for the person, for demos and benchmarks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hilt.tasks.base import Answers
from hilt.types import Batch, BatchItem, Content, Decision, Value

NAME = "simulated"


@dataclass(frozen=True, slots=True)
class SimulatedReviewer:
    """Answers from a key, now and then wrongly.

    What it says about an item depends only on the seed and the item's id, so two selectors that
    pick the same item are told the same; asked again, it errs anew. An item without a known answer
    is skipped.

    Attributes:
        answer_key: Item ids to answers; no entry means unknown.
        answers: Of the task, which say what an error looks like.
        error_rate: Chance of a wrong answer.
        seconds: How long it says that an item took.
        seconds_per_character: And how much longer for each character of the text.
        seconds_noise: Standard deviation of the logarithm of that time.
        seed: Of the errors, and of the time.
    """

    answer_key: Mapping[str, Value]
    answers: Answers
    error_rate: float = 0.0
    seconds: float = 5.0
    seconds_per_character: float = 0.0
    seconds_noise: float = 0.0
    seed: int = 0

    def review(self, batch: Batch, contents: Sequence[Content]) -> list[Decision]:
        """Decide every item of the batch, in order; `contents` are what these items are."""
        return [
            self._decide(item, content, batch.number)
            for item, content in zip(batch.items, contents, strict=True)
        ]

    def seconds_for(self, item_id: str, text: str) -> float:
        """Say how long an item takes: longer texts longer, and by chance."""
        seconds = self.seconds + self.seconds_per_character * len(text)
        noise = _rng(f"{self.seed}:{item_id}:seconds").normal(scale=self.seconds_noise)
        return round(seconds * float(np.exp(noise)), 2)

    def _decide(self, item: BatchItem, content: Content, batch: int) -> Decision:
        asked = f"{item.item_id}:{batch}" if item.reason == "recheck" else item.item_id
        truth = self.answer_key.get(item.item_id)
        return Decision(
            item_id=item.item_id,
            action="skip" if truth is None else "label",
            value=() if truth is None else self._say(asked, truth, content),
            reviewer=NAME,
            batch=batch,
            seconds=self.seconds_for(item.item_id, item.text),
            source=NAME,
            kind="simulated",
        )

    def _say(self, asked: str, truth: Value, content: Content) -> Value:
        rng = _rng(f"{self.seed}:{asked}")
        if rng.random() >= self.error_rate:
            return truth
        return self.answers.corrupted(truth, content, rng)


def _rng(what: str) -> np.random.Generator:
    """Make a generator that depends on nothing but a text."""
    digest = hashlib.sha256(what.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
