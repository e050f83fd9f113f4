"""Sharing places among groups of unequal size."""

from __future__ import annotations

import numpy as np

from hilt.types import Integers


def quotas(counts: Integers, k: int) -> Integers:
    """Share k places among groups by the square root of their size.

    Every group gets one while places last, the largest groups first; each further place goes
    to the group with the highest root per (2 * its places + 1). No group gets more places
    than it has members.

    Args:
        counts: Shape (n_groups,), members of each.
        k: How many places.

    Returns:
        Shape (n_groups,), summing to min(k, counts.sum()).

    Example:
        >>> quotas(np.array([900, 100, 0, 1]), 8).tolist()
        [5, 2, 0, 1]

    Source: Webster 1832 / Sainte-Lague 1910, on tempered counts. O(k * n_groups) time.
    """
    places = np.zeros(len(counts), dtype=np.int64)
    largest = np.argsort(-counts, kind="stable")[:k]
    places[largest] = counts[largest] > 0
    for _ in range(min(k, int(counts.sum())) - int(places.sum())):
        claims = np.where(places < counts, np.sqrt(counts) / (2 * places + 1), 0)
        places[claims.argmax()] += 1
    return places
