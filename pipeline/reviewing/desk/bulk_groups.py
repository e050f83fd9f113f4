"""Which items are decided together in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.types import Floats, Integers

SEEDS = 200  # items around which a group is looked for


def largest_group(
    seeds: Sequence[int],
    proposed: Sequence[str],
    embeddings: Floats,
    groups: Integers,
    *,
    most: int,
    nearness: float,
) -> Integers:
    """Find the most items that can be decided together: one, and what is near it.

    Near are its near-duplicates, and items whose vectors are; all share its proposed label.

    Args:
        seeds: Places, of the n items, around which a group may be; the first `SEEDS` are tried.
        proposed: The n proposed labels.
        embeddings: Shape (n, d), unit rows.
        groups: Shape (n,); near-duplicates have an equal value.
        most: Items in a group, at most.
        nearness: Cosine from which an item is near.

    Returns:
        Places, the seed first, then nearest first; empty when there are no seeds.
    """
    tried = np.array(seeds[:SEEDS], dtype=np.int64)
    if not len(tried):
        return tried
    vectors = np.asarray(embeddings, dtype=np.float32)
    cosines = vectors[tried] @ vectors.T  # (n_tried, n)
    cosines[groups[tried, None] == groups] = 1.0
    labels = np.unique(proposed, return_inverse=True)[1]
    cosines[labels[tried, None] != labels] = -np.inf
    best = np.minimum((cosines >= nearness).sum(axis=1), most).argmax()
    cosines[best, tried[best]] = np.inf
    nearest = np.argsort(-cosines[best], kind="stable")[:most]
    return np.compress(cosines[best, nearest] >= nearness, nearest)
