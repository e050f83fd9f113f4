"""How sure a distribution over the labels is, read in blocks so that any pool fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from hilt.errors import DataError
from hilt.types import Floats, Integers

BLOCK = 16_384  # rows that are float32 at one time


def margin(probabilities: Floats, indices: Integers | None = None) -> Floats:
    """Score items by how close their two likeliest labels are.

    Args:
        probabilities: Shape (n_items, n_labels), rows sum to 1; may be memory-mapped.
        indices: Shape (m,), which items to score; all of them when None.

    Returns:
        Shape (m,), float32 in [0, 1]: 1 - (p1 - p2); higher is less certain.

    Raises:
        DataError: If there are fewer than 2 labels, or a row holds NaN.

    Source: Scheffer, Decomain and Wrobel 2001. O(n_items * n_labels) time.
    """
    return scored(probabilities, indices, _one_minus_lead)


def least_confident(probabilities: Floats, indices: Integers | None = None) -> Floats:
    """Score items by how unlikely their likeliest label is.

    Args:
        probabilities: Shape (n_items, n_labels), rows sum to 1; may be memory-mapped.
        indices: Shape (m,), which items to score; all of them when None.

    Returns:
        Shape (m,), float32 in [0, 1 - 1 / n_labels]: 1 - p1; higher is less certain.

    Raises:
        DataError: If there are fewer than 2 labels, or a row holds NaN.

    Source: Lewis and Gale 1994; Culotta and McCallum 2005. O(n_items * n_labels) time.
    """
    return scored(probabilities, indices, lambda rows: 1 - rows.max(axis=1))


def entropy(probabilities: Floats, indices: Integers | None = None) -> Floats:
    """Score items by the entropy of their distribution, as a share of the highest possible.

    Args:
        probabilities: Shape (n_items, n_labels), rows sum to 1; may be memory-mapped.
        indices: Shape (m,), which items to score; all of them when None.

    Returns:
        Shape (m,), float32 in [0, 1]: -sum(p log p) / log(n_labels); higher is less certain.

    Raises:
        DataError: If there are fewer than 2 labels, or a row holds NaN.

    Source: Shannon 1948; Dagan and Engelson 1995 for selection. O(n_items * n_labels) time.
    """
    return scored(probabilities, indices, _relative_entropy)


def scored(
    probabilities: Floats, indices: Integers | None, score: Callable[[Floats], Floats]
) -> Floats:
    """Score items by some function of their distribution.

    Args:
        probabilities: Shape (n_items, n_labels), rows sum to 1; may be memory-mapped.
        indices: Shape (m,), which items to score; all of them when None.
        score: Gives one number a row for a block of rows, a float32 copy that it may write in.

    Returns:
        Shape (m,), float32.

    Raises:
        DataError: If there are fewer than 2 labels, or a row holds NaN.
    """
    if probabilities.shape[1] < 2:
        raise DataError(
            f"Uncertainty needs at least 2 labels, but there is {probabilities.shape[1]}; add a"
            " label."
        )
    scores = np.empty(len(probabilities) if indices is None else len(indices), dtype=np.float32)
    for where, block in _blocks(probabilities, indices):
        scores[where] = score(block)
    if np.isnan(scores).any():
        place = int(np.isnan(scores).argmax())
        index = place if indices is None else int(indices[place])
        raise DataError(f"The proposal for item {index} contains NaN; make the proposals again.")
    return scores


def likeliest_labels(probabilities: Floats, indices: Integers) -> Integers:
    """Find the position of each item's likeliest label, the first of several equal ones.

    Args:
        probabilities: Shape (n_items, n_labels); may be memory-mapped.
        indices: Shape (m,), which items.

    Returns:
        Shape (m,), int32.
    """
    labels = np.empty(len(indices), dtype=np.int32)
    for where, block in _blocks(probabilities, indices):
        labels[where] = block.argmax(axis=1)
    return labels


def _one_minus_lead(rows: Floats) -> Floats:
    every = np.arange(len(rows))
    first = rows.argmax(axis=1)  # a NaN, if there is one
    likeliest = rows[every, first]
    rows[every, first] = -1
    scores: Floats = 1 - (likeliest - rows.max(axis=1))
    return scores


def _relative_entropy(rows: Floats) -> Floats:
    logarithms = np.log(rows, out=np.zeros_like(rows), where=rows > 0)  # 0 log 0 is 0
    entropies = -np.einsum("ij,ij->i", rows, logarithms) / np.log(np.float32(rows.shape[1]))
    scores: Floats = np.clip(entropies, 0, 1)
    return scores


def _blocks(probabilities: Floats, indices: Integers | None) -> Iterator[tuple[slice, Floats]]:
    length = len(probabilities) if indices is None else len(indices)
    for start in range(0, length, BLOCK):
        where = slice(start, start + BLOCK)
        block = probabilities[where if indices is None else indices[where]]
        yield where, block.astype(np.float32)  # a copy: the caller may write in it
