"""Any selector, weighed by what an answer costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilt.errors import DataError
from hilt.selectors.base import Selector, how_many
from hilt.selectors.margin import Margin
from hilt.types import Floats, Selection, SelectionView


class PerSecond:
    """Of what another selector would pick, that with the highest score per predicted second.

    The other selector picks `shortlist` times as many as are asked for, so that an item has to
    be worth asking about before it may win by being quick. The score is the other's, times the
    seconds of the quickest on the shortlist over the item's own; reasons are the other's. While
    nothing is known of seconds, it is the other selector.

    Source: Haertel et al. 2008 (Return on investment for active learning); Settles, Craven and
    Friedland 2008. The other selector's time, for `shortlist` times as many.

    Args:
        of: The other selector, `margin` by default; its scores should say what items are worth.
        shortlist: How many times as many it picks.
    """

    def __init__(self, of: Selector | None = None, shortlist: int = 4) -> None:
        self.of = of or Margin()
        self.shortlist = shortlist

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, best value for a second first.

        Raises:
            DataError: If a predicted time is not above 0.
        """
        if view.seconds is None or how_many(view, k) == 0:
            return self.of.select(view, k, rng)
        listed = self.of.select(view, self.shortlist * k, rng)
        values = per_second(listed, view.seconds)
        best = np.argsort(-values, kind="stable")[:k]
        reasons = tuple(listed.reasons[place] for place in best)
        return replace(listed, indices=listed.indices[best], scores=values[best], reasons=reasons)


def per_second(selection: Selection, seconds: Floats) -> Floats:
    """Weigh what was selected by how quickly it is answered.

    Args:
        selection: At least one item.
        seconds: Shape (n_items,), what each item of the pool is predicted to take.

    Returns:
        Shape (k,), in [0, 1]: the score times the seconds of the quickest over the item's own.

    Raises:
        DataError: If the seconds of one of them are not above 0.
    """
    own = np.asarray(seconds[selection.indices], dtype=np.float64)
    if not (own > 0).all():
        index = int(selection.indices[(~(own > 0)).argmax()])
        raise DataError(
            f"Item {index} is predicted to take {seconds[index]} seconds; it must be above 0."
        )
    values: Floats = selection.scores * (own.min() / own)
    return values
