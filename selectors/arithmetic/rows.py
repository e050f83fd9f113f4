"""Embeddings of a few items at a time, checked and made comparable."""

from __future__ import annotations

import numpy as np

from hilt.errors import DataError
from hilt.types import Floats, Integers


def unit_rows(embeddings: Floats, indices: Integers) -> Floats:
    """Copy some rows of the embeddings as float32 of length 1.

    Rows stored as float16 are up to 0.05 % off length 1, which would show in cosines near 1.
    A row of zeros stays so: its cosine to everything is 0.

    Args:
        embeddings: Shape (n_items, d), float16 or float32; may be memory-mapped.
        indices: Shape (m,), which rows.

    Returns:
        Shape (m, d), float32.

    Raises:
        DataError: If one of these rows holds NaN or infinity.
    """
    rows = embeddings[indices].astype(np.float32)  # (m, d)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if not np.isfinite(lengths).all():
        index = int(indices[np.flatnonzero(~np.isfinite(lengths))[0]])
        raise DataError(
            f"The embedding of item {index} has a value that is not finite; make the embeddings"
            " again, or remove the item from the pool."
        )
    rows /= np.where(lengths > 0, lengths, 1)[:, None]
    return rows
