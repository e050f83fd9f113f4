"""Typical items of clusters in which little is labelled: made for the very first labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hilt.selectors.arithmetic.clustering import centroids, spread_rows
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.selectors.arithmetic.neighbours import nearest_among
from hilt.selectors.arithmetic.ranking import NOTHING, draw, filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import in_threads, over_rows
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

LEARN_FROM = 48  # rows per cluster that k-means learns from
SPREAD_FROM = 10  # rows per cluster from which those where clusters start are drawn
ROUNDS = 6  # of k-means
SMALLEST = 5  # clusters of so many items or fewer are left out
WHOLE = 2048  # members up to which every one is compared with every other
SHORTLIST = 128  # members of a larger cluster that are compared with all others
LOOKED_AT = 256  # members, or a few more, with which all are compared to make the shortlist
FEWEST = 3  # of those, the nearest whose distance is averaged then


class TypiClust:
    """The most typical item of each of the largest clusters with the fewest labels.

    There are as many k-means clusters as labels and picks together, up to `most_clusters`. Typical
    is what has a small mean distance to its `neighbours` nearest neighbours in the cluster; the
    score is 1 / (1 + mean distance), the reason "coverage". When clusters are fewer than picks,
    the next most typical of each follows, and so on; clusters of five items or fewer are left out.
    Where that is all, the most uncertain fill up.

    Clusters of up to 2,048 items are searched exactly; in larger ones, the 128 that are most
    typical among a sample are compared with all others.

    The picked set does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Hacohen, Dekel and Weinshall 2022 (TypiClust).
    O(n_items * n_clusters * d) time, O(n_items + block * d) memory.

    Args:
        neighbours: Nearest neighbours over which the distance is averaged.
        most_clusters: More are never made.
    """

    def __init__(self, neighbours: int = 20, most_clusters: int = 500) -> None:
        self.neighbours = neighbours
        self.most_clusters = most_clusters

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, one a cluster."""
        k = how_many(view, k)
        if k == 0:
            return NOTHING
        score_of: dict[int, float] = {}
        ranked: list[Integers] = []
        clusters = self._clusters(view, k, rng)[:k]
        typical = in_threads(lambda members: most_typical(view, members, self.neighbours), clusters)
        for members, distances in typical:
            score_of |= dict(zip(members.tolist(), (1 / (1 + distances)).tolist(), strict=True))
            ranked.append(members[np.isin(members, view.candidates, assume_unique=True)])
        picked = pick_distinct(view, _turn_by_turn(ranked), k)
        scores = np.array([score_of[index] for index in picked.tolist()], dtype=np.float32)
        reason: Reason = "coverage"
        covering = Selection(picked, scores, (reason,) * len(picked))
        return filled_up(view, covering, view.doubt("margin", view.candidates), k, rng)

    def _clusters(self, view: SelectionView, k: int, rng: np.random.Generator) -> list[Integers]:
        """Give each cluster's members, fewest labels first, and of equals the largest cluster."""
        items = np.union1d(view.candidates, view.labelled)
        count = min(len(view.labelled) + k, self.most_clusters)
        doubt = view.doubt("margin", items)
        sample = items[draw(np.arange(len(items)), doubt, LEARN_FROM * count, rng)]
        rows = unit_rows(view.embeddings, sample)
        seed = int(rng.integers(2**31))
        start = spread_rows(rows[:: max(1, len(rows) // (SPREAD_FROM * count))], count, seed)
        centres = centroids(rows, count, seed, rounds=ROUNDS, start=start)
        owner = np.concatenate(
            over_rows(view.embeddings, items, lambda block: (block @ centres.T).argmax(axis=1))
        )
        sizes = np.bincount(owner, minlength=len(centres))
        labels = np.bincount(owner[np.isin(items, view.labelled)], minlength=len(centres))
        order = np.lexsort((-sizes, labels))
        members = np.split(items[np.argsort(owner, kind="stable")], np.cumsum(sizes)[:-1])
        return [members[cluster] for cluster in order if sizes[cluster] > SMALLEST]


def most_typical(
    view: SelectionView, members: Integers, neighbours: int
) -> tuple[Integers, Floats]:
    """Order the members of a cluster by how near their nearest neighbours in it are.

    Args:
        view: The pool as it stands.
        members: Shape (n,), indices.
        neighbours: Over how many the distance is averaged; half the cluster, where that is less.

    Returns:
        Indices, the most typical first, and their mean distances; of a cluster of more than 2,048
        only the 128 that seem most typical. O(n * min(n, 2048) * d) time, O(block * d) memory.
    """
    neighbours = min(neighbours, len(members) // 2)
    if len(members) > WHOLE:
        ordered = members[np.argsort(-view.doubt("margin", members), kind="stable")]
        seen = ordered[:: len(ordered) // LOOKED_AT]  # the same whatever the order of the pool
        fewer = max(FEWEST, neighbours * LOOKED_AT // len(members))
        estimates = _mean_distances(view, members, seen, fewer)
        shortlist = members[np.argsort(estimates, kind="stable")[:SHORTLIST]]
    else:
        shortlist = members
    distances = _mean_distances(view, shortlist, members, neighbours)
    order = np.argsort(distances, kind="stable")
    return shortlist[order], distances[order]


def _mean_distances(
    view: SelectionView, indices: Integers, among: Integers, neighbours: int
) -> Floats:
    """Average the distances of items to the nearest of others, shape (n,).

    The nearest of all is left out: it is the item itself, or one that is equal to it.
    """
    _, cosines = nearest_among(view.embeddings, indices, among, neighbours + 1)
    distances: Floats = np.sqrt(np.maximum(2 - 2 * cosines[:, 1:], 0)).mean(axis=1)
    return distances


def _turn_by_turn(ranked: list[Integers]) -> Iterator[Integers]:
    """Yield the first of each list, then the second of each, and so on."""
    for turn in range(max(map(len, ranked), default=0)):
        yield np.array([members[turn] for members in ranked if len(members) > turn])
