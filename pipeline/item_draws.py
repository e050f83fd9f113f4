"""Draws that belong to an item: each depends on the seed and the item's id, and on nothing else.

So an item keeps its draw when others are added to the pool, and whatever the order of the pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from hilt.pipeline.arrays import blocks
from hilt.pipeline.pools.duplicates import hash_texts
from hilt.pipeline.random_streams import Stream, generator
from hilt.pipeline.workspace import Workspace
from hilt.types import Floats

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
    """Draw a number for every item of the pool: shape (n_items,)."""
    pool, seed = workspace.pool, workspace.config.seed
    return np.concatenate([draw(pool.ids(block), seed, purpose) for block in blocks(len(pool))])


def audit_numbers(workspace: Workspace) -> Floats:
    """Say where each item stands in the order of the audit.

    Returns:
        Shape (n_items,), in [0, 1); infinity for an item without a text, which nobody is asked.

    The audit takes the items with the smallest numbers. A share of the pool that is to be kept
    for it are the items whose number is below that share.

    A workspace whose first batch was made by an older hilt goes on with the order from which that
    batch came: it kept the first items of that order from the selector, and in another order the
    audit would meet items that the selector had taken, and miss them.
    """
    pool, seed = workspace.pool, workspace.config.seed
    if has_older_order(workspace):
        order = generator(seed, Stream.AUDIT).permutation(len(pool))
        numbers: Floats = np.argsort(order) / len(pool)
    else:
        numbers = pool_draws(workspace, "audit")
    numbers[pool.empty] = np.inf
    return numbers


def has_older_order(workspace: Workspace) -> bool:
    """Tell whether the order of the audit is that of an older hilt: one permutation of the pool."""
    numbers = workspace.store.batch_numbers()
    first = workspace.store.batch_selector(numbers[0]) if numbers else AUDIT_DRAW
    return not AUDIT_DRAW.items() <= first.items()
