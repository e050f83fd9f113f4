"""Any selector, on a part of the pool."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hilt.errors import DataError
from hilt.selectors.arithmetic.ranking import NOTHING, draw
from hilt.selectors.arithmetic.wrapping import add
from hilt.selectors.base import Selector, how_many
from hilt.selectors.margin import Margin
from hilt.types import Selection, SelectionView


class Subsample:
    """What another selector picks from some of the candidates.

    They are drawn uniformly. With `near_labelled`, the nearest neighbours of labelled items come
    first, and the draw fills up: for rare labels, near which more of them are found. Where fewer
    than asked for can be picked from them, the other selector picks the rest from all.

    The draw does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Coleman et al. 2022 (SEALS) for neighbours of labelled items.
    O(n_candidates * n_labels) time to draw, and the other selector's for `size` candidates.

    Args:
        of: The other selector, `margin` by default.
        size: How many candidates it sees.
        near_labelled: Whether neighbours of labelled items come first.
    """

    def __init__(
        self, of: Selector | None = None, size: int = 10_000, near_labelled: bool = False
    ) -> None:
        self.of = of or Margin()
        self.size = size
        self.near_labelled = near_labelled

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates from a part of the pool.

        Raises:
            DataError: If neighbours are wanted and the view has no graph.
        """
        k = how_many(view, k)
        near = self._near(view)
        scores = view.doubt("margin", view.candidates)
        some = draw(np.flatnonzero(near), scores, self.size, rng)
        others = draw(np.flatnonzero(~near), scores, self.size - len(some), rng)
        seen = view.candidates[np.sort(np.append(some, others))]
        picked = add(NOTHING, self.of, view, seen, k, rng)
        return add(picked, self.of, view, view.candidates, k - len(picked), rng)

    def _near(self, view: SelectionView) -> npt.NDArray[np.bool_]:
        """Tell which candidates come first."""
        if not self.near_labelled:
            return np.zeros(len(view.candidates), dtype=bool)
        if view.graph is None:
            raise DataError(
                "`near_labelled` needs the graph of nearest neighbours to look up the neighbours"
                " of labelled items, but there is none; make it, or set near_labelled to"
                " false."
            )
        return np.isin(view.candidates, view.graph.neighbours[view.labelled])
