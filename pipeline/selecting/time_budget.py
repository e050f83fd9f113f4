"""How many items fit into the minutes that people have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hilt.types import Floats, Selection

ROUNDS = 4  # of picking again for another size; the first is mostly enough
NEAR_ENOUGH = 0.95  # of the time


def fit_to_budget(
    pick: Callable[[int], Sequence[Selection]], seconds: Floats, budget: float
) -> list[Selection]:
    """Find the batch that takes about all of the time, and no more.

    Args:
        pick: Picks a batch of a given size, in parts.
        seconds: Shape (n_items,), how long a person is predicted to need for each item.
        budget: Seconds that people have.

    Returns:
        The parts, without what came last and does not fit; at least one item in all.
    """
    most = len(seconds)
    size = max(1, int(min(budget / float(seconds.mean()), most)))
    for _ in range(ROUNDS):
        parts = pick(size)
        needed = sum(float(seconds[part.indices].sum()) for part in parts)
        too_long = needed * NEAR_ENOUGH > budget
        too_short = needed < budget * NEAR_ENOUGH and sum(map(len, parts)) == size
        wanted = max(1, int(min(size * budget / max(needed, 1e-9), most)))
        if wanted == size or not (too_long or too_short):
            break
        size = wanted
    return _cut(parts, seconds, budget)


def _cut(parts: Sequence[Selection], seconds: Floats, budget: float) -> list[Selection]:
    """Keep what fits of the parts, one after the other, and one item in any case."""
    kept: list[Selection] = []
    spent, least = 0.0, 1
    for part in parts:
        ends = spent + np.cumsum(seconds[part.indices])
        count = min(len(part), max(least, int(np.searchsorted(ends, budget, side="right"))))
        kept.append(_first(part, count))
        spent, least = (float(ends[count - 1]), 0) if count else (spent, least)
    return kept


def _first(part: Selection, count: int) -> Selection:
    return replace(
        part,
        indices=part.indices[:count],
        scores=part.scores[:count],
        reasons=part.reasons[:count],
    )
