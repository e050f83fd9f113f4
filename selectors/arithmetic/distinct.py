"""Picking in a given order while passing over what is alike."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hilt.selectors.arithmetic.rows import unit_rows
from hilt.types import Integers, SelectionView

BLOCK = 1024  # items looked at together
ROUNDING = 1e-6  # two equal float32 rows may have a cosine this far below 1


def pick_distinct(view: SelectionView, chunks: Iterable[Integers], k: int) -> Integers:
    """Take items in order, but none that is like one taken before or in `view.taken`.

    Two items are alike when their groups are equal or their cosine reaches
    `view.near_duplicate`.

    Args:
        view: The pool as it stands.
        chunks: Indices to pick from, in order; only as many as needed are drawn and read.
        k: How many to pick.

    Returns:
        Shape (up to k,), indices in the order of `chunks`.
        O(looked at * picked * d) time, O((block + picked) * d) memory.
    """
    picked = np.empty(0, dtype=np.int64)
    kept = unit_rows(view.embeddings, view.taken)  # (n_taken + n_picked, d)
    for block in _blocks(chunks):
        if len(picked) == k:
            break
        chosen = _distinct_in(view, block, np.append(view.taken, picked), kept, k - len(picked))
        if len(chosen):
            picked = np.append(picked, chosen)
            kept = np.concatenate([kept, unit_rows(view.embeddings, chosen)])
    return picked


def _blocks(chunks: Iterable[Integers]) -> Iterable[Integers]:
    for chunk in chunks:
        for start in range(0, len(chunk), BLOCK):
            yield chunk[start : start + BLOCK]


def _distinct_in(
    view: SelectionView, block: Integers, earlier: Integers, kept: np.ndarray, k: int
) -> Integers:
    """Take up to k items of one block; `kept` holds the rows of the `earlier` ones."""
    near = view.near_duplicate - ROUNDING
    block = block[~np.isin(view.groups[block], view.groups[earlier])]
    groups = view.groups[block]
    rows = unit_rows(view.embeddings, block)
    open_ = (rows @ kept.T < near).all(axis=1)
    chosen: list[int] = []
    while len(chosen) < k and open_.any():
        place = int(open_.argmax())
        chosen.append(place)
        open_ &= (rows @ rows[place] < near) & (groups != groups[place])
    return block[chosen]
