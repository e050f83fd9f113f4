"""The seam of this folder: what picks the items that people should see."""

from __future__ import annotations

from typing import Protocol

import numpy as np

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


SELECTORS = Registry(
    "selector",
    {
        "hybrid": "hilt.selectors.hybrid:Hybrid",
        "margin": "hilt.selectors.margin:Margin",
        "random": "hilt.selectors.uniform:Uniform",
    },
)
