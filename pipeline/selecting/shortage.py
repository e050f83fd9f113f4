"""Why a batch has fewer items than were asked for."""

from __future__ import annotations

import numpy as np

from hilt.figures import counted
from hilt.types import Integers


def why_short(
    wanted: int,
    batch: Integers,
    groups: Integers,
    *,
    decided: Integers,
    waiting: Integers,
    kept: Integers,
    empty: Integers,
    minutes: tuple[float, float] | None = None,
) -> str:
    """Say what became of the items that are not in a batch; "" where it is as large as wanted.

    Args:
        wanted: How many items were asked for.
        batch: The indices of those that are in it.
        groups: Shape (n_items,), the representative of each item's near-duplicates.
        decided: Indices of the items that people decided.
        waiting: Of those that wait in another open batch.
        kept: Of those that are kept for the audit.
        empty: Of those without a text.
        minutes: For how many minutes there are items, and how many were asked for, where a batch is
            made by time; then `wanted` is how many items that time would take.
    """
    if len(batch) >= wanted:
        return ""
    left = np.ones(len(groups), dtype=bool)
    left[np.concatenate([batch, decided, empty])] = False
    asked = groups[np.concatenate([batch, decided, waiting])]
    counts = {}
    for name, members in (
        ("items that wait in another open batch", np.isin(np.arange(len(groups)), waiting)),
        ("near-duplicates of items that are decided or in a batch", np.isin(groups, asked)),
        ("items kept for the audit in later batches", np.isin(np.arange(len(groups)), kept)),
        ("items that the selector did not pick", left.copy()),
    ):
        counts[name] = int((left & members).sum())
        left &= ~members
    named = "; ".join(f"{name} ({count:,})" for name, count in counts.items() if count)
    size = f"{len(batch):,} instead of {counted(wanted, 'item')}"
    if minutes is not None:
        size = f"{counted(len(batch), 'item')}, for {minutes[0]:.1f} of {minutes[1]:g} minutes"
    return f"{size}: nothing else is left to ask" + (
        f". Left out: {named}" if named else ", every other item is decided"
    )
