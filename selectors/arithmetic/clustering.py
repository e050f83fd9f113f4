"""k-means by FAISS, as two functions."""

from __future__ import annotations

import faiss
import numpy as np

from hilt.selectors.arithmetic.threads import one_thread
from hilt.types import Floats, Integers

ROUNDS = 25
MIN_WEIGHT = 1e-6  # a cluster whose weights are all 0 would have no centre, nor rows all alike


def centroids(
    rows: Floats,
    k: int,
    seed: int,
    *,
    weights: Floats | None = None,
    rounds: int = ROUNDS,
    start: Floats | None = None,
) -> Floats:
    """Cluster rows by cosine (spherical k-means).

    The result depends on the order of the rows, so bring them in one that means something.

    Args:
        rows: Shape (n, d), float32, unit length.
        k: How many clusters.
        seed: Decides where the clusters start.
        weights: Shape (n,), how much each row counts; equally when None.
        rounds: How often centres move.
        start: Shape (k, d), where the clusters start; at random rows when None.

    Returns:
        Shape (min(k, n), d), float32, unit length. The rows themselves when n <= k.

    Source: Dhillon and Modha 2001; FAISS. O(n * k * d) time in each round.
    """
    if len(rows) <= k:
        return rows
    if weights is not None:
        weights = np.maximum(weights, MIN_WEIGHT).astype(np.float32)
    clustering = faiss.Kmeans(
        rows.shape[1],
        k,
        niter=rounds,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,  # else FAISS warns on stderr
        max_points_per_centroid=len(rows),  # else FAISS draws its own sample
    )
    with one_thread():
        clustering.train(rows, weights=weights, init_centroids=start)
    return np.asarray(clustering.centroids, dtype=np.float32)


@one_thread()
def spread_rows(rows: Floats, k: int, seed: int) -> Floats:
    """Draw rows that are far from each other, from which clusters start well (k-means++).

    Each is drawn with a probability proportional to its squared distance to the nearest one before
    it; of a few that are drawn so, the one that brings all rows nearest is kept.

    Args:
        rows: Shape (n, d), float32, unit length.
        k: How many.
        seed: Decides which.

    Returns:
        Shape (min(k, n), d).

    Source: Arthur and Vassilvitskii 2007, with the greedy choice of their section 5.
    O(n * k * log(k) * d) time.
    """
    rng = np.random.default_rng(seed)
    chosen = [int(rng.integers(len(rows)))]
    nearest = _squared_distances(rows, np.array(chosen))[0]
    tries = 2 + int(np.log(k))
    while len(chosen) < min(k, len(rows)):
        up_to = nearest.cumsum(dtype=np.float64)
        drawn = np.searchsorted(up_to / up_to[-1], rng.random(tries), side="right")
        nearer = np.minimum(nearest, _squared_distances(rows, drawn))  # (tries, n)
        best = int(nearer.sum(axis=1).argmin())
        chosen.append(int(drawn[best]))
        nearest = nearer[best]
    return rows[chosen]


def _squared_distances(rows: Floats, places: Integers) -> Floats:
    distances: Floats = rows[places] @ rows.T
    distances *= -2
    distances += 2
    return np.maximum(distances, MIN_WEIGHT, out=distances)


def nearest_members(rows: Floats, centres: Floats) -> Integers:
    """Find the member nearest to the centre of each cluster, by cosine.

    Args:
        rows: Shape (n, d), float32, unit length.
        centres: Shape (k, d), float32, unit length.

    Returns:
        Shape (up to k,), places in `rows`, each once; fewer when clusters have no member.
    """
    with one_thread():
        cosines, owners = faiss.knn(rows, centres, 1, metric=faiss.METRIC_INNER_PRODUCT)
    order = np.lexsort((-cosines[:, 0], owners[:, 0]))
    _, first = np.unique(owners[order, 0], return_index=True)
    return order[first]
