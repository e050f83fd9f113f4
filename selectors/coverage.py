"""The first batch: typical items, spread over the predicted labels."""

from __future__ import annotations

import numpy as np

from hilt.selectors.kmeans import centroids
from hilt.selectors.quotas import quotas
from hilt.selectors.rows import unit_rows
from hilt.types import Floats, Integers, SelectionView

BLOCK = 4096  # rows that are float32 at one time
SAMPLE = 256  # rows per centroid that k-means learns from


def cover(
    view: SelectionView, predicted: Integers, scores: Floats, k: int, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    """Find the most central item of each of k clusters, spread over the predicted labels.

    Args:
        view: The pool as it stands.
        predicted: Shape (n_candidates,), positions of the predicted labels.
        scores: Shape (n_candidates,); distinct ones make the result independent of the
            order of the pool.
        k: How many clusters.
        rng: The only source of chance.

    Returns:
        Indices, each once, and their cosines to their centroid, both of shape (up to k,): first
        one item of every predicted label, the most frequent label first, then a second of
        each, and so on.

    Source: k-means centroids as a first batch: Gupte et al. 2024 (DropQuery).
    One pass over the candidates, O(n_candidates * d * k) time, O((block + 256 * k) * d) memory.
    """
    counts = np.bincount(predicted, minlength=view.probabilities.shape[1])
    places = quotas(counts, k)
    by_label = np.split(np.lexsort((scores, predicted)), np.cumsum(counts)[:-1])
    centres, owners = [], []
    for label in np.flatnonzero(places):
        sample = _sample(view.candidates[by_label[label]], SAMPLE * int(places[label]), rng)
        rows = unit_rows(view.embeddings, sample)
        centres.append(centroids(rows, int(places[label]), int(rng.integers(2**31))))
        owners.append(np.full(len(centres[-1]), label))
    owner = np.concatenate(owners)
    indices, cosines = _nearest(view, predicted, np.concatenate(centres), owner)
    turn = np.concatenate([np.arange(len(owned)) for owned in owners])
    order = np.lexsort((-counts[owner], turn))
    order = order[np.isfinite(cosines[order])]  # without clusters that have no member
    return indices[order], np.clip(cosines[order], 0, 1)


def _sample(indices: Integers, size: int, rng: np.random.Generator) -> Integers:
    if len(indices) <= size:
        return indices
    return indices[np.sort(rng.choice(len(indices), size, replace=False))]


def _nearest(
    view: SelectionView, predicted: Integers, centres: Floats, owners: Integers
) -> tuple[Integers, Floats]:
    """Find the member nearest to the centre of each cluster, within its predicted label."""
    indices = np.zeros(len(centres), dtype=np.int64)
    cosines = np.full(len(centres), -np.inf, dtype=np.float32)
    every = np.arange(len(centres))
    for start in range(0, len(view.candidates), BLOCK):
        block = view.candidates[start : start + BLOCK]
        cosine = unit_rows(view.embeddings, block) @ centres.T  # (n_block, k)
        cosine[predicted[start : start + BLOCK, None] != owners] = -np.inf  # another label's
        cosine[cosine < cosine.max(axis=1, keepdims=True)] = -np.inf  # another cluster's
        top = cosine.argmax(axis=0)
        better = cosine[top, every] > cosines
        indices[better] = block[top[better]]
        cosines[better] = cosine[top, every][better]
    return indices, cosines
