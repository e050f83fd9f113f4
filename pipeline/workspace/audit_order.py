"""The order in which the audit takes the items of a pool, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.audit_slice import count_drawn, read_copies, settled_copies
from hilt.pipeline.workspace.item_draws import draw, pool_draws
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.types import Floats, Integers

# Stands with what picked a batch. Until there was this, the order of the audit was a permutation.
AUDIT_DRAW = {"audit_draw": "id"}


@dataclass(frozen=True)
class AuditOrder:
    """The order in which an audit takes items, those with the smallest numbers first.

    Attributes:
        pool: Of which it is a sample.
        seed: Of the configuration.
        selectors: What picked each batch, oldest first.
    """

    pool: Pool
    seed: int
    selectors: Sequence[Mapping[str, Any]]

    @property
    def is_older(self) -> bool:
        """Whether it is the order of an older hilt: one permutation of the pool."""
        return bool(self.selectors) and not AUDIT_DRAW.items() <= self.selectors[0].items()

    @cached_property
    def copies(self) -> dict[int, int]:
        """Items drawn for the audit and not asked, each with the one whose answer counts."""
        return read_copies(self.selectors)

    @cached_property
    def numbers(self) -> Floats:
        """Where each item stands in the order.

        Shape (n_items,), in [0, 1); infinity for an item without a text, which nobody is asked. A
        share of the pool that is to be kept for the audit are the items whose number is below that
        share.

        A workspace whose first batch was made by an older hilt goes on with the order from which
        that batch came: it kept the first items of that order from the selector, and in another
        order the audit would meet items that the selector had taken, and miss them. Items that were
        appended to it have their own numbers, as everywhere.
        """
        pool = self.pool
        numbers = pool_draws(pool, self.seed, "audit").copy()
        if self.is_older:
            first = pool.summary.earlier[0].items if pool.summary.earlier else len(pool)
            order = generator(self.seed, Stream.AUDIT).permutation(first)
            numbers[:first] = np.argsort(order) / first
        numbers[pool.empty] = np.inf
        return numbers

    def stand_before(self, indices: Integers, audited: Integers) -> npt.NDArray[np.bool_]:
        """Tell which items stand in the order before the last one that was drawn.

        Such an item was labelled before its turn came: by an import, say.

        Args:
            indices: Shape (n,), items with a text.
            audited: The audit's items, at least one.

        Returns:
            Shape (n,).
        """
        if self.is_older:
            return np.asarray(self.numbers[indices] <= self.numbers[audited].max())
        last = draw(self.pool.ids(audited), self.seed, "audit").max()
        return np.asarray(draw(self.pool.ids(indices), self.seed, "audit") <= last)

    def audited_items(self, labels: Sequence[ItemLabel]) -> int:
        """Say for how many of the items, from the first, the audit stands.

        They are all, but after items were appended: until those of them were asked whose numbers
        are as small as those of the audit so far, it is a sample of the pool before.

        Args:
            labels: What was decided, with all answers of the audit.
        """
        earlier = self.pool.summary.earlier
        audited = [label.index for label in labels if label.audit]
        if not earlier or not audited:
            return len(self.pool)
        first = earlier[0].items
        due = first + np.flatnonzero(self.numbers[first:] <= self.numbers[audited].max())
        decided = [label.index for label in labels if not label.machine]
        decided += settled_copies(self.copies, decided)
        due = due[~np.isin(due, decided)]
        sizes = [each.items for each in earlier]
        return max(size for size in sizes if size <= due[0]) if len(due) else len(self.pool)

    def count_audited(self, reach: int, answered: Sequence[int]) -> Integers:
        """Count for how many of the items for which the audit stands each of its answers counts.

        Args:
            reach: For how many items, from the first, the audit stands.
            answered: n indices, of the items with such an answer.

        Returns:
            Shape (n,), at least 1. A copy that was appended later does not count before the audit
            stands for what was appended.
        """
        copies = {copy: of for copy, of in self.copies.items() if copy < reach}
        return count_drawn(copies, answered)
