"""Rows of tokens cut into batches of about equal work."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from hilt.types import Integers

ACCELERATOR_BATCH_TOKENS = 32768


def token_budget(device: str, cpu_tokens: int) -> int:
    """Say how many tokens a batch may hold: `cpu_tokens` on a processor, else many.

    Args:
        device: What `resolve_device` said.
        cpu_tokens: What stays near the caches of a processor, by the model and its use.
    """
    return cpu_tokens if device == "cpu" else ACCELERATOR_BATCH_TOKENS


def plan_batches(lengths: Integers, batch_tokens: int) -> list[Integers]:
    """Group rows of like length so that no batch holds more than `batch_tokens`.

    Args:
        lengths: Shape (n,), tokens of each row.
        batch_tokens: Most that rows times the longest row may be; a row that is longer than
            that makes a batch of its own.

    Returns:
        Positions of rows, longest rows first; every row is in one batch.
    """
    order = np.argsort(-lengths, kind="stable")
    batches: list[Integers] = []
    start = 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        stop = start + max(batch_tokens // longest, 1)
        batches.append(order[start:stop])
        start = stop
    return batches


def pad_rows(
    rows: Sequence[Sequence[int]], pad_id: int, left: bool = False
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lay rows of token ids side by side.

    Args:
        rows: n rows of token ids.
        pad_id: What fills the rest of a row.
        left: Whether the padding stands before the tokens.

    Returns:
        The ids and the attention mask (1 for a token), both of shape (n, longest row).
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    columns = np.arange(max(int(lengths.max()), 1))
    if left:
        columns = columns[::-1]
    mask = columns < lengths[:, None]  # (n, longest)
    ids = np.full(mask.shape, pad_id, dtype=np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    return ids, mask.astype(np.int64)
