"""Asking another selector for a part of a batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilt.selectors.arithmetic.ranking import joined
from hilt.selectors.base import Selector
from hilt.types import Integers, Selection, SelectionView


def add(
    picked: Selection,
    of: Selector,
    view: SelectionView,
    candidates: Integers,
    k: int,
    rng: np.random.Generator,
) -> Selection:
    """Let a selector pick some more.

    Args:
        picked: What is in the batch already.
        of: The selector.
        view: The pool as it stands without `picked`.
        candidates: Ascending indices from which it may pick.
        k: How many more; 0 is allowed.
        rng: The only source of chance.

    Returns:
        What was picked, and after it up to k more that are not like it.
    """
    if k == 0 or len(candidates) == 0:
        return picked
    taken = np.append(view.taken, picked.indices)
    return joined(picked, of.select(replace(view, candidates=candidates, taken=taken), k, rng))
