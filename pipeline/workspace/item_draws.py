"""Draws that belong to an item: each depends on the seed and the item's id, and on nothing else.

So an item keeps its draw when others are added to the pool, and whatever the order of the pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from hilt.blocks import blocks
from hilt.pipeline.pools.same_text import hash_texts
from hilt.types import Floats

if TYPE_CHECKING:
    from hilt.pipeline.pools.pool import Pool

Purpose = Literal["audit", "check", "limit"]


def draw(ids: Iterable[str], seed: int, purpose: Purpose) -> Floats:
    """Draw a number for each item: shape (n,), uniform in [0, 1).

    It is made of 53 bits of a SHA-256, so it is the same on every machine; draws for different
    purposes, seeds or ids are independent.

    >>> draw(["t-1", "t-2"], 0, "audit").round(3).tolist()
    [0.93, 0.516]
    """
    hashes = hash_texts(f"{purpose} {seed} {item_id}" for item_id in ids)
    return np.ldexp((hashes >> np.uint64(11)).astype(np.float64), -53)


@lru_cache(maxsize=2)  # whoever asks how far the audit reaches asks for each decision
def pool_draws(pool: Pool, seed: int, purpose: Purpose) -> Floats:
    """Draw a number for every item of a pool: shape (n_items,), not to be written to."""
    numbers = np.concatenate([draw(pool.ids(block), seed, purpose) for block in blocks(len(pool))])
    numbers.flags.writeable = False
    return numbers
