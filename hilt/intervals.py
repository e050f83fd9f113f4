"""Intervals around shares."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # 97.5 % of a normal distribution lie below it


@dataclass(frozen=True, slots=True)
class Share:
    """A measured share with its 95 % interval, and how many items it rests on."""

    share: float
    low: float
    high: float
    items: int

    @classmethod
    def of(cls, hits: int, items: int) -> Share:
        """Measure a share of items, of which there is at least one."""
        return cls(hits / items, *wilson(hits, items), items)


def wilson(hits: float, items: float) -> tuple[float, float]:
    """Bound a share, at 95 %.

    Args:
        hits: How often it happened; an item may count in part.
        items: Out of how many, above 0.

    Source: Wilson 1927.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, spread = hits / items, _Z**2 / items
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(hits: tuple[int, int], items: tuple[int, int]) -> tuple[float, float]:
    """Bound the difference of two independent shares, first less second, at 95 %.

    Source: Newcombe 1998, method 10.

    >>> [round(end, 4) for end in newcombe((56, 48), (70, 80))]
    [0.0524, 0.3339]
    """
    first, second = hits[0] / items[0], hits[1] / items[1]
    low_1, high_1 = wilson(hits[0], items[0])
    low_2, high_2 = wilson(hits[1], items[1])
    difference = first - second
    return (
        difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2),
        difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2),
    )
