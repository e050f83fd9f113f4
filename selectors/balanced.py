"""Any selector, with places for every predicted label."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.quotas import quotas
from hilt.selectors.arithmetic.ranking import NOTHING
from hilt.selectors.arithmetic.wrapping import add
from hilt.selectors.base import Selector, how_many
from hilt.selectors.margin import Margin
from hilt.types import Selection, SelectionView


class Balanced:
    """What another selector picks among the candidates of each predicted label.

    Labels share the batch by the square root of how often they are predicted (`quotas`): rare
    ones are asked about more often than by chance. The other selector fills each label's places
    from that label's candidates, the most frequent label first; where they run short, it picks
    from all. Scores and reasons are its own.

    Source: Aggarwal, Popescu and Hudelot 2020 balance by predicted label; the quotas are ours.
    The other selector's time, once for each of up to k labels.

    Args:
        of: The other selector, `margin` by default.
    """

    def __init__(self, of: Selector | None = None) -> None:
        self.of = of or Margin()

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, label by label."""
        k = how_many(view, k)
        predicted = view.strata(view.candidates)
        counts = np.bincount(predicted)
        places = quotas(counts, k)
        picked = NOTHING
        for label in np.argsort(-counts, kind="stable"):
            members = view.candidates[predicted == label]
            picked = add(picked, self.of, view, members, int(places[label]), rng)
        return add(picked, self.of, view, view.candidates, k - len(picked), rng)
