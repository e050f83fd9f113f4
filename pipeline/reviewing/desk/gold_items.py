"""Items with a known answer, mixed in among the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

from hilt.pipeline.configuration.config import Config
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog


class GoldItems:
    """Says when a reviewer gets an item whose label is known, and which.

    Args:
        ledger: What was decided, the known answers among it.
        config: The share of such items, and the seed of the draws.
        has_text: Tells whether an item can be asked about at all.
    """

    def __init__(
        self, ledger: DecisionLog, config: Config, has_text: Callable[[int], bool]
    ) -> None:
        self._ledger = ledger
        self._has_text = has_text
        self._share = config.review.gold_share
        self._seed = config.seed

    def awaits(self, item: int, reviewer: str) -> bool:
        """Tell whether an item has a known answer that this reviewer was not measured by."""
        return item in self._ledger.gold and reviewer not in self._ledger.latest(item)

    def draw(self, reviewer: str, holding: Collection[int], count: int) -> list[int]:
        """Draw such items for a reviewer who is about to be given `count` items.

        They come at random, so that nobody can tell them by their place.
        """
        said = len(self._ledger.by_reviewer.get(reviewer, ()))
        wanted = sum(
            self._draw(reviewer, said + len(holding) + number) < self._share
            for number in range(count)
        )
        waiting = (
            item
            for item in self._ledger.gold
            if item not in holding and self.awaits(item, reviewer) and self._has_text(item)
        )
        order = sorted(waiting, key=lambda item: self._draw(reviewer, -item - 1)) if wanted else []
        return order[:wanted]

    def _draw(self, reviewer: str, number: int) -> float:
        digest = hashlib.sha256(f"{self._seed}:gold:{reviewer}:{number}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64
