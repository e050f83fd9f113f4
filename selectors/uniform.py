"""Chance alone: what every other selector has to beat."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.base import how_many
from hilt.types import Selection, SelectionView


class Uniform:
    """Candidates drawn uniformly; the score is the item's draw from [0, 1).

    The k highest of independent uniform draws are a simple random sample; passing over what
    is alike makes it one of the distinct texts, in which frequent texts are likelier.

    Source: simple random sampling, Cochran 1977, chapter 2.
    O(n_candidates) time, no embedding is read beyond those that are compared.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates at random."""
        k = how_many(view, k)
        return best_first(view, rng.random(len(view.candidates)), k, "random", rng)
