"""What a row of probabilities says."""

from __future__ import annotations

import numpy as np

from hilt.types import Floats, Integers

# Two probabilities that are this close, relative to the larger, are equal: arrays keep float16,
# whose neighbouring values are up to 0.00098 apart.
TIE = 1e-3
NO_LABEL = -1


def clear_label(probabilities: Floats) -> Integers:
    """Find the label that is likelier than every other one.

    To take the first of equal ones would let the order of the labels decide.

    Args:
        probabilities: Shape (..., n_labels), not negative; a NaN row is an abstention.

    Returns:
        Shape (...,): positions of labels, -1 where the likeliest are equal, or nothing is said.

    >>> clear_label(np.array([[0.2, 0.8], [0.5, 0.5], [np.nan, np.nan]])).tolist()
    [1, -1, -1]
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.shape[-1] == 1:
        return np.where(np.isnan(rows[..., 0]), NO_LABEL, 0)
    highest = np.partition(rows, -2, axis=-1)[..., -2:]  # NaN goes last, and compares as false
    clear = highest[..., 0] < highest[..., 1] * (1 - TIE)
    return np.where(clear, np.nan_to_num(rows).argmax(axis=-1), NO_LABEL)
