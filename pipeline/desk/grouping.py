"""Which items are decided together in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.types import Floats, Integers


def group_around(
    place: int,
    proposed: Sequence[str | None],
    embeddings: Floats,
    groups: Integers,
    *,
    most: int,
    nearness: float,
) -> Integers:
    """Find the items that can be decided together with one, by its proposed label.

    They are its near-duplicates, and what is near it among the items of the same proposed label.

    Args:
        place: Which of the n items.
        proposed: The n proposed labels.
        embeddings: Shape (n, d), unit rows.
        groups: Shape (n,); near-duplicates have an equal value.
        most: Items in a group, at most.
        nearness: Cosine from which an item is near.

    Returns:
        Places, the one itself first, then nearest first.
    """
    cosines = np.asarray(embeddings, dtype=np.float32) @ embeddings[place].astype(np.float32)
    cosines[groups == groups[place]] = 1.0
    cosines[place] = 2.0
    cosines[[label != proposed[place] for label in proposed]] = -2.0
    nearest: Integers = np.argsort(-cosines, kind="stable")[:most]
    return np.compress(cosines[nearest] >= nearness, nearest)
