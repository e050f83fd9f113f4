"""Who has answered what, kept so that nobody's share has to be counted anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection


class Answered:
    """Sets of items by person, put right item by item.

    Attributes:
        items: What each person has answered.
    """

    def __init__(self) -> None:
        self.items: dict[str, set[int]] = defaultdict(set)
        self._people: dict[int, frozenset[str]] = {}

    def note(self, item: int, people: Collection[str]) -> None:
        """Set who has answered an item."""
        before, now = self._people.get(item, frozenset()), frozenset(people)
        for name in before - now:
            self.items[name].discard(item)
        for name in now - before:
            self.items[name].add(item)
        self._people[item] = now

    def clear(self) -> None:
        """Forget everything."""
        self.items.clear()
        self._people.clear()
