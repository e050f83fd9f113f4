"""The seam of this folder: what picks the items that people should see."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hilt.errors import DataError
from hilt.registry import Registry
from hilt.types import Selection, SelectionView


class Selector(Protocol):
    """Picks k indices from the pool."""

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, no two of them alike.

        Args:
            view: The pool as it stands.
            k: How many to pick, at least 1.
            rng: The only source of chance.

        Returns:
            k distinct candidates, best first; fewer only when no more are left that are not
            near-duplicates of those picked or taken.
        """
        ...


def how_many(view: SelectionView, k: int) -> int:
    """Return how many items can be picked when k are asked for.

    Raises:
        DataError: If k is below 1.
    """
    if k < 1:
        raise DataError(f"k is {k} but a batch needs at least 1 item; raise k.")
    return min(k, len(view.candidates))


SELECTORS = Registry(
    "selector",
    {
        "auto": "hilt.selectors.auto:Auto",
        "herding": "hilt.selectors.herding:Herding",
        "hybrid": "hilt.selectors.hybrid:Hybrid",
        "margin": "hilt.selectors.margin:Margin",
        "random": "hilt.selectors.uniform:Uniform",
    },
)
