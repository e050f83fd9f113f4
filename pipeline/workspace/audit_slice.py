"""The audit slice of a batch: drawn from the whole pool, each text asked once.

An audit draws items, not texts: where copies of one text abound, it draws several of them. To
leave copies out of the draw would measure another pool; to ask about each would ask a person the
same thing again and again. So a copy of what the audit asks, or has heard, is drawn and not asked,
and the answer counts for both. Which answer is whose is stored with the batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_up
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.types import Floats, Integers, Reason, Selection

COPIES = "copies"  # the key under which they stand with what selected a batch
BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class AuditSlice:
    """What is drawn for the audit.

    Attributes:
        asked: The items that people are asked about, first drawn first.
        copies: The items that are drawn and not asked, each with the one whose answer counts.
    """

    asked: Selection
    copies: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """The audit of a pool, as far as it is.

    Attributes:
        numbers: Shape (n_items,), the order of the audit: the smallest come first. Infinity for
            what nobody is asked.
        free: Shape (n_items,), which items may be drawn.
        heard: The audit's item with each text of which it has the answer, or waits for it.
        texts_of: Reads texts.
    """

    numbers: Floats
    free: npt.NDArray[np.bool_]
    heard: Mapping[str, int]
    texts_of: Callable[[Integers], Sequence[str]]

    def slice(self, count: int) -> AuditSlice:
        """Draw the next items.

        Near-duplicates may come together. To leave one of them out would give those that are like
        no other a greater chance, and the audit would measure another pool.
        """
        drawn = self._order(count)
        answers, copies, asked = dict(self.heard), dict[int, int](), list[int]()
        for index, text in zip(drawn.tolist(), self.texts_of(drawn), strict=True):
            if text in answers:
                copies[index] = answers[text]
            else:
                answers[text] = index
                asked.append(index)
        chosen = np.array(asked, dtype=np.int64)
        reason: Reason = "audit"
        picked = Selection(chosen, self.numbers[chosen], (reason,) * len(asked))
        return AuditSlice(picked, copies)

    def reach(self) -> int:
        """Say how many items to draw until there is one to ask about; 0 if there is none."""
        order = self._order(len(self.numbers))
        for start in range(0, len(order), BLOCK_ROWS):
            texts = self.texts_of(order[start : start + BLOCK_ROWS])
            for place, text in zip(count_up(start + 1), texts, strict=False):
                if text not in self.heard:
                    return place
        return 0

    def beside(self, drawn: AuditSlice, kept: int) -> Mapping[int, int]:
        """List the copies in a slice of which only the first `kept` items are asked.

        They are those that come before the first item that is left out.
        """
        if kept >= len(drawn.asked):
            return drawn.copies
        end = self.numbers[drawn.asked.indices[kept]]
        return {copy: of for copy, of in drawn.copies.items() if self.numbers[copy] < end}

    def _order(self, count: int) -> Integers:
        """List the free items with the smallest numbers, in order."""
        indices = np.flatnonzero(self.free & np.isfinite(self.numbers))
        order: Integers = indices[np.argsort(self.numbers[indices], kind="stable")[:count]]
        return order


def stored_copies(copies: Mapping[int, int]) -> dict[str, Any]:
    """Write copies down, to stand with what selected a batch; nothing where there are none."""
    return {COPIES: [[copy, of] for copy, of in copies.items()]} if copies else {}


def read_copies(selectors: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Read the copies of batches: each with the item whose answer counts."""
    return {copy: of for selector in selectors for copy, of in selector.get(COPIES, ())}


def settled_copies(copies: Mapping[int, int], known: Collection[int]) -> list[int]:
    """List the copies whose item is among those that are decided, or wait for people."""
    known = set(known)
    return [copy for copy, of in copies.items() if of in known]


def count_drawn(copies: Mapping[int, int], audited: Sequence[int]) -> Integers:
    """Count for how many drawn items each answer of the audit stands: its own, and its copies.

    Args:
        copies: From `read_copies`.
        audited: n indices, of the items with such an answer.

    Returns:
        Shape (n,), at least 1.
    """
    asked = set(audited)
    times = Counter(of for copy, of in copies.items() if copy not in asked)
    return np.array([1 + times[index] for index in audited], dtype=np.int64)
