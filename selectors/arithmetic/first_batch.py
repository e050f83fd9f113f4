"""Typical items: the centres of clusters, in a first batch spread over the predicted labels."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.clustering import centroids
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.selectors.arithmetic.quotas import quotas
from hilt.selectors.arithmetic.ranking import NOTHING, filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import in_threads
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

BLOCK = 4096  # rows that are float32 at one time
EVEN = 1e-5  # cosines that differ by less count as ties; of two members both are as near the centre
SAMPLE = 256  # rows per centroid that k-means learns from


def first_batch(view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
    """Pick while nothing is labelled: k-means centroids, spread over the predicted labels.

    Args:
        view: The pool as it stands.
        k: How many to pick.
        rng: The only source of chance.

    Returns:
        Up to k candidates; the most uncertain fill up where clusters run short.
    """
    scores = view.doubt("margin", view.candidates)
    predicted = view.strata(view.candidates)
    return filled_up(view, cover(view, predicted, scores, k, rng), scores, k, rng)


def cover(
    view: SelectionView, strata: Integers, scores: Floats, k: int, rng: np.random.Generator
) -> Selection:
    """Pick the most central item of each of k clusters, no two of them alike.

    Args:
        view: The pool as it stands.
        strata: Shape (n_candidates,), from 0; clusters lie within one, and each stratum gets its
            share of them (`quotas`).
        scores: Shape (n_candidates,); distinct ones make the result independent of the
            order of the pool.
        k: How many clusters.
        rng: The only source of chance.

    Returns:
        Up to k candidates with the reason "coverage" and their cosines to their centroid: first
        one item of every stratum, the largest stratum first, then a second of each, and so on.

    Source: k-means centroids as a first batch: Gupte et al. 2024 (DropQuery).
    One pass over the candidates, O(n_candidates * d * k) time, O((block + 256 * k) * d) memory.
    """
    if len(view.candidates) == 0:
        return NOTHING
    counts = np.bincount(strata)
    places = quotas(counts, k)
    members = np.split(np.lexsort((scores, strata)), np.cumsum(counts)[:-1])
    centres, owners = [], []
    for stratum in np.flatnonzero(places):
        sample = _sample(view.candidates[members[stratum]], SAMPLE * int(places[stratum]), rng)
        rows = unit_rows(view.embeddings, sample)
        centres.append(centroids(rows, int(places[stratum]), int(rng.integers(2**31))))
        owners.append(np.full(len(centres[-1]), stratum))
    owner = np.concatenate(owners)
    nearest, cosines = _nearest(view, strata, scores, np.concatenate(centres), owner)
    turn = np.concatenate([np.arange(len(owned)) for owned in owners])
    order = np.lexsort((-counts[owner], turn))
    order = order[np.isfinite(cosines[order])]  # without clusters that have no member
    picked = pick_distinct(view, [nearest[order]], k)
    cosine_of = dict(zip(nearest.tolist(), np.clip(cosines, 0, 1).tolist(), strict=True))
    picked_cosines = np.array([cosine_of[index] for index in picked.tolist()], dtype=np.float32)
    reason: Reason = "coverage"
    return Selection(picked, picked_cosines, (reason,) * len(picked))


def _sample(indices: Integers, size: int, rng: np.random.Generator) -> Integers:
    if len(indices) <= size:
        return indices
    return indices[np.sort(rng.choice(len(indices), size, replace=False))]


def _nearest(
    view: SelectionView, strata: Integers, scores: Floats, centres: Floats, owners: Integers
) -> tuple[Integers, Floats]:
    """Find the member nearest to the centre of each cluster, within its stratum."""
    every = np.arange(len(centres))

    def nearest(start: int) -> tuple[Integers, Floats]:
        block = view.candidates[start : start + BLOCK]
        cosine = unit_rows(view.embeddings, block) @ centres.T  # (n_block, k)
        cosine[strata[start : start + BLOCK, None] != owners] = -np.inf  # another stratum's
        cosine[cosine < cosine.max(axis=1, keepdims=True)] = -np.inf  # another cluster's
        cosine += EVEN * scores[start : start + BLOCK, None]
        top = cosine.argmax(axis=0)
        return block[top], cosine[top, every]

    found = in_threads(nearest, range(0, len(view.candidates), BLOCK))
    indices, cosines = map(np.stack, zip(*found, strict=True))  # (n_blocks, k)
    best = cosines.argmax(axis=0)
    return indices[best, every], cosines[best, every]
