"""Covering a sample greedily: what a pick is near to, another need not be near to as well."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.sampling import Sample
from hilt.selectors.arithmetic.threads import in_threads, one_thread
from hilt.types import Floats, Integers

BLOCK = 256  # items whose gains are computed together at first
AGAIN = 32  # and later, when the highest are brought up to date


def nearness(cosines: Floats, radius: float) -> Floats:
    """Turn cosines into exp(-(distance / radius)^2), in [0, 1]; 0 for minus infinity."""
    scale = np.float32(2 / radius**2)
    near: Floats = scale * cosines
    near -= scale
    return np.exp(near, out=near)


def cover_greedily(
    sample: Sample, weights: Floats, covered: Floats, radius: float, k: int
) -> tuple[Integers, Floats]:
    """Pick items one after the other, each the one that covers most that is not covered yet.

    An item covers another by their `nearness`; what it gains is the weighted sum, over the
    sample, of how much nearer the nearest pick gets.

    Args:
        sample: Shape (n, d).
        weights: Shape (n,), what covering each item is worth, at least 0.
        covered: Shape (n,), in [0, 1], how near each item is to what is known already.
        radius: Distance at which nearness has fallen to 1/e.
        k: How many.

    Returns:
        Places of up to k open items, no two of them alike, and their gains; fewer when nothing
        that is open gains anything.

        Exact: gains only fall as items are picked, so that the highest is brought up to date, with
        those that come close to it, until it stays the highest.
        O(n^2 * d) time, O((block + d + k) * n) memory.

    Source: Nemhauser, Wolsey and Fisher 1978 for the greedy choice; Minoux 1978 for the lazy one.
    """
    gains = _first_gains(sample, weights, covered, radius)
    gains[~sample.open] = -1
    history = [covered]  # after each pick
    computed = np.zeros(len(sample), dtype=np.int64)  # after how many picks each gain was
    picked: list[int] = []
    picked_gains: list[float] = []
    with one_thread():
        while len(picked) < k:
            best = int(gains.argmax())
            if gains[best] <= 0:
                break
            if computed[best] < len(picked):
                highest = np.argpartition(-gains, min(AGAIN, len(gains) - 1))[:AGAIN]
                stale = highest[(gains[highest] > 0) & (computed[highest] < len(picked))]
                then = np.stack([history[place] for place in computed[stale]])
                gains[stale] -= _lost(sample, stale, weights, then, history[-1], radius)
                computed[stale] = len(picked)
                continue
            picked.append(best)
            picked_gains.append(float(gains[best]))
            cosines = sample.cosines_to(best)
            history.append(np.maximum(history[-1], nearness(cosines, radius)))
            gains[sample.alike(best, cosines)] = -1
    return np.array(picked, dtype=np.int64), np.array(picked_gains, dtype=np.float32)


def _first_gains(sample: Sample, weights: Floats, covered: Floats, radius: float) -> Floats:
    """Compute what every item would gain as the first pick, each pair of them once."""
    gains = np.zeros(len(sample))  # float64: what picks take from it is taken off one by one

    def gains_of(start: int) -> tuple[Floats, Floats]:
        """Compute what a block gains, and what it adds to the gains of all after it."""
        block = slice(start, start + BLOCK)
        near = nearness(sample.rows[block] @ sample.rows[start:].T, radius)  # (block, rest)
        own = np.maximum(near - covered[start:], 0) @ weights[start:]
        later = np.maximum(near[:, BLOCK:] - covered[block, None], 0)
        return own, weights[block] @ later

    starts = range(0, len(sample), BLOCK)
    for start, (own, later) in zip(starts, in_threads(gains_of, starts), strict=True):
        gains[start : start + BLOCK] += own
        gains[start + BLOCK :] += later
    return gains


def _lost(
    sample: Sample, places: Integers, weights: Floats, then: Floats, now: Floats, radius: float
) -> Floats:
    """Compute how much less some items gain, looking only at what is nearer to a pick now.

    Args:
        sample: Shape (n, d).
        places: Shape (m,), of the items.
        weights: Shape (n,).
        then: Shape (m, n), what was covered when the gain of each was computed.
        now: Shape (n,), what is covered now.
        radius: Of the nearness.

    Returns:
        Shape (m,).
    """
    nearer = np.flatnonzero((then < now).any(axis=0))
    near = nearness(sample.rows[places] @ sample.rows[nearer].T, radius)
    lost = np.maximum(near - then[:, nearer], 0) - np.maximum(near - now[nearer], 0)
    return np.asarray(lost @ weights[nearer])
