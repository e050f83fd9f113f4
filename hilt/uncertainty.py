"""How sure a distribution over the labels is."""

from __future__ import annotations

import numpy as np

from hilt.errors import DataError
from hilt.types import Floats


def margin(probabilities: Floats) -> Floats:
    """Score items by how close their two likeliest labels are.

    Args:
        probabilities: Shape (n, n_labels), rows sum to 1.

    Returns:
        Shape (n,), float32 in [0, 1]: 1 - (p1 - p2); higher is less certain. NaN for a row that
        holds NaN.

    Raises:
        DataError: If there are fewer than 2 labels.

    Source: Scheffer, Decomain and Wrobel 2001. O(n * n_labels) time.
    """
    rows = _copied(probabilities)
    every = np.arange(len(rows))
    first = rows.argmax(axis=1)  # a NaN, if there is one
    likeliest = rows[every, first]
    rows[every, first] = -1
    scores: Floats = 1 - (likeliest - rows.max(axis=1))
    return scores


def least_confident(probabilities: Floats) -> Floats:
    """Score items by how unlikely their likeliest label is.

    Args:
        probabilities: Shape (n, n_labels), rows sum to 1.

    Returns:
        Shape (n,), float32 in [0, 1 - 1 / n_labels]: 1 - p1; higher is less certain. NaN for a row
        that holds NaN.

    Raises:
        DataError: If there are fewer than 2 labels.

    Source: Lewis and Gale 1994; Culotta and McCallum 2005. O(n * n_labels) time.
    """
    scores: Floats = 1 - _copied(probabilities).max(axis=1)
    return scores


def entropy(probabilities: Floats) -> Floats:
    """Score items by the entropy of their distribution, as a share of the highest possible.

    Args:
        probabilities: Shape (n, n_labels), rows sum to 1.

    Returns:
        Shape (n,), float32 in [0, 1]: -sum(p log p) / log(n_labels); higher is less certain. NaN
        for a row that holds NaN.

    Raises:
        DataError: If there are fewer than 2 labels.

    Source: Shannon 1948; Dagan and Engelson 1995 for selection. O(n * n_labels) time.
    """
    rows = _copied(probabilities)
    logarithms = np.log(rows, out=np.zeros_like(rows), where=rows > 0)  # 0 log 0 is 0
    entropies = -np.einsum("ij,ij->i", rows, logarithms) / np.log(np.float32(rows.shape[1]))
    scores: Floats = np.clip(entropies, 0, 1)
    return scores


def _copied(probabilities: Floats) -> Floats:
    """Copy rows as float32.

    Raises:
        DataError: If there are fewer than 2 labels.
    """
    if probabilities.shape[1] < 2:
        raise DataError(
            f"Uncertainty needs at least 2 labels, but there is {probabilities.shape[1]}; add a"
            " label."
        )
    return probabilities.astype(np.float32)
