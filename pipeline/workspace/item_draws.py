"""Draws that belong to an item: each depends on the seed and the item's id, and on nothing else.

So an item keeps its draw when others are added to the pool, and whatever the order of the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from hilt.blocks import blocks
from hilt.pipeline.pools.same_text import hash_texts
from hilt.pipeline.workspace.audit_slice import count_drawn, settled_copies
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.types import Floats, Integers

if TYPE_CHECKING:
    from hilt.pipeline.pools.pool import Pool
    from hilt.pipeline.workspace.labels import ItemLabel
    from hilt.pipeline.workspace.workspace import Workspace

Purpose = Literal["audit", "check", "limit"]

# Stands with what picked a batch. Until there was this, the order of the audit was a permutation.
AUDIT_DRAW = {"audit_draw": "id"}


def draw(ids: Iterable[str], seed: int, purpose: Purpose) -> Floats:
    """Draw a number for each item: shape (n,), uniform in [0, 1).

    It is made of 53 bits of a SHA-256, so it is the same on every machine; draws for different
    purposes, seeds or ids are independent.

    >>> draw(["t-1", "t-2"], 0, "audit").round(3).tolist()
    [0.93, 0.516]
    """
    hashes = hash_texts(f"{purpose} {seed} {item_id}" for item_id in ids)
    return np.ldexp((hashes >> np.uint64(11)).astype(np.float64), -53)


def pool_draws(workspace: Workspace, purpose: Purpose) -> Floats:
    """Draw a number for every item of the pool: shape (n_items,), not to be written to."""
    return _drawn(workspace.pool, workspace.config.seed, purpose)


@lru_cache(maxsize=2)  # whoever asks how far the audit reaches asks for each decision
def _drawn(pool: Pool, seed: int, purpose: Purpose) -> Floats:
    numbers = np.concatenate([draw(pool.ids(block), seed, purpose) for block in blocks(len(pool))])
    numbers.flags.writeable = False
    return numbers


def audit_numbers(workspace: Workspace) -> Floats:
    """Say where each item stands in the order of the audit.

    Returns:
        Shape (n_items,), in [0, 1); infinity for an item without a text, which nobody is asked.

    The audit takes the items with the smallest numbers. A share of the pool that is to be kept
    for it are the items whose number is below that share.

    A workspace whose first batch was made by an older hilt goes on with the order from which that
    batch came: it kept the first items of that order from the selector, and in another order the
    audit would meet items that the selector had taken, and miss them. Items that were appended to
    it have their own numbers, as everywhere.
    """
    pool, seed = workspace.pool, workspace.config.seed
    numbers = pool_draws(workspace, "audit").copy()
    if has_older_order(workspace):
        first = pool.summary.earlier[0].items if pool.summary.earlier else len(pool)
        order = generator(seed, Stream.AUDIT).permutation(first)
        numbers[:first] = np.argsort(order) / first
    numbers[pool.empty] = np.inf
    return numbers


def stand_before(
    workspace: Workspace, indices: Integers, audited: Integers
) -> npt.NDArray[np.bool_]:
    """Tell which items stand in the order of the audit before the last one that it has drawn.

    Such an item was labelled before its turn came: by an import, say.

    Args:
        workspace: Whose audit.
        indices: Shape (n,), items with a text.
        audited: The audit's items, at least one.

    Returns:
        Shape (n,).
    """
    if has_older_order(workspace):
        numbers = audit_numbers(workspace)
        return np.asarray(numbers[indices] <= numbers[audited].max())
    pool, seed = workspace.pool, workspace.config.seed
    last = draw(pool.ids(audited), seed, "audit").max()
    return np.asarray(draw(pool.ids(indices), seed, "audit") <= last)


def audited_items(workspace: Workspace, outcomes: Sequence[ItemLabel]) -> int:
    """Say for how many of the items, from the first, the audit stands.

    They are all, but after items were appended: until those of them were asked whose numbers are
    as small as those of the audit so far, it is a sample of the pool before.
    """
    pool = workspace.pool
    audited = [outcome.index for outcome in outcomes if outcome.audit]
    if not pool.summary.earlier or not audited:
        return len(pool)
    numbers = audit_numbers(workspace)
    first = pool.summary.earlier[0].items
    due = first + np.flatnonzero(numbers[first:] <= numbers[audited].max())
    decided = [outcome.index for outcome in outcomes if not outcome.machine]
    decided += settled_copies(workspace.drawn_copies, decided)
    due = due[~np.isin(due, decided)]
    sizes = [each.items for each in pool.summary.earlier]
    return max(size for size in sizes if size <= due[0]) if len(due) else len(pool)


def count_audited(workspace: Workspace, answered: Sequence[int]) -> Integers:
    """Count for how many of the items for which the audit stands each of its answers counts.

    Args:
        workspace: Whose audit.
        answered: n indices, of the items with such an answer.

    Returns:
        Shape (n,), at least 1. A copy that was appended later does not count before the audit
        stands for what was appended.
    """
    reach = audited_items(workspace, workspace.database.item_labels())
    copies = {copy: of for copy, of in workspace.drawn_copies.items() if copy < reach}
    return count_drawn(copies, answered)


def has_older_order(workspace: Workspace) -> bool:
    """Tell whether the order of the audit is that of an older hilt: one permutation of the pool."""
    numbers = workspace.database.batch_numbers()
    first = workspace.database.batch_selector(numbers[0]) if numbers else AUDIT_DRAW
    return not AUDIT_DRAW.items() <= first.items()
