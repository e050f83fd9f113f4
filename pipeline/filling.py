"""How many items fit into the minutes that people have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hilt.types import Floats, Selection

ROUNDS = 4  # of picking again for another size; the first is mostly enough
NEAR_ENOUGH = 0.95  # of the time


def fill(
    compose: Callable[[int], Sequence[Selection]],
    seconds: Floats,
    audit_size: Callable[[int], int],
    budget: float,
) -> list[Selection]:
    """Find the batch that takes about all of the time, and no more.

    Args:
        compose: Picks a batch of a given size: the audit slice, and what was chosen beside it.
        seconds: Shape (n_items,), how long a person is predicted to need for each item.
        audit_size: Says how many audit items a batch of a given size has.
        budget: Seconds that people have.

    Returns:
        The two parts, without what came last and does not fit; at least one item in all.
    """
    size = max(1, int(budget / float(seconds.mean())))
    for _ in range(ROUNDS):
        audit, chosen = compose(size)
        found = len(audit) + len(chosen)
        needed = _total(seconds, audit) + _total(seconds, chosen)
        too_long = needed * NEAR_ENOUGH > budget
        too_short = needed < budget * NEAR_ENOUGH and found == size
        wanted = max(1, int(size * budget / max(needed, 1e-9)))
        if wanted == size or not (too_long or too_short):
            break
        size = wanted
    return _cut(audit, chosen, seconds, audit_size, budget)


def _cut(
    audit: Selection,
    chosen: Selection,
    seconds: Floats,
    audit_size: Callable[[int], int],
    budget: float,
) -> list[Selection]:
    """Leave out what came last, the share of the audit kept, until the rest fits."""
    parts = [audit, chosen]
    for size in range(len(audit) + len(chosen), 0, -1):
        n_audit = max(min(audit_size(size), len(audit)), size - len(chosen))
        parts = [_first(audit, n_audit), _first(chosen, size - n_audit)]
        if sum(_total(seconds, part) for part in parts) <= budget:
            break
    return parts


def _total(seconds: Floats, part: Selection) -> float:
    return float(seconds[part.indices].sum())


def _first(part: Selection, count: int) -> Selection:
    return replace(
        part,
        indices=part.indices[:count],
        scores=part.scores[:count],
        reasons=part.reasons[:count],
    )
