"""Coverage by balls: items around which most others lie."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from hilt.selectors.arithmetic.clustering import centroids, spread_rows
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.sampling import (
    Bools,
    Sample,
    nearest_cosines,
    pick_from_samples,
    read_sample,
)
from hilt.selectors.arithmetic.threads import in_threads, one_thread
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

BLOCK = 256  # items compared with all others at one time; a multiple of 8
LEARN_FROM = 128  # rows per cluster that k-means learns from
CHECKED = 500  # items whose balls say how large a pure one is

Bits = npt.NDArray[np.uint8]


class ProbCover:
    """One after the other, the item whose ball holds most items that no ball holds yet.

    Balls around labelled and picked items count. Their radius is the largest at which a share of
    `purity` holds one pseudo-label only; pseudo-labels are k-means clusters, as many as labels.
    The score is the share of the pool that a pick covers anew, the reason "coverage". Once every
    item is covered, the most uncertain fill up.

    The picks are those of the greedy algorithm on all candidates, as long as these are no more
    than `sample`; of a larger pool, those on so many drawn at random, and on a new sample for
    every quarter of its size that is picked. The radius is a quantile over 500 of its items.

    The picked set does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Yehuda et al. 2022 (ProbCover).
    O(n_candidates * n_labels + sample^2 * d) time, and O(n_candidates + sample * d + sample^2 / 8)
    bytes of memory: neighbours are kept as bits.

    Args:
        sample: How many items are covered, and picked from.
        purity: Share of balls that hold one pseudo-label only.
    """

    def __init__(self, sample: int = 8_000, purity: float = 0.95) -> None:
        self.sample = sample
        self.purity = purity

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, the fullest balls first."""
        k = how_many(view, k)
        doubt = view.doubt("margin", view.candidates)
        cover = partial(self._cover, seed=int(rng.integers(2**31)))
        indices, shares = pick_from_samples(view, doubt, self.sample, k, rng, cover)
        reason: Reason = "coverage"
        covering = Selection(indices, shares, (reason,) * len(indices))
        return filled_up(view, covering, doubt, k, rng)

    def _cover(
        self, view: SelectionView, indices: Integers, k: int, *, seed: int
    ) -> tuple[Integers, Floats]:
        """Pick up to k of the items of a sample."""
        sample = read_sample(view, indices)
        least = pure_cosine(sample.rows, view.n_labels, self.purity, seed)
        known = unit_rows(view.embeddings, np.append(view.labelled, view.taken))
        covered = nearest_cosines(sample, known) >= least
        places, counts = cover_by_balls(sample, balls(sample.rows, least), covered, k)
        return indices[places], (counts / len(sample)).astype(np.float32)


def pure_cosine(rows: Floats, n_clusters: int, purity: float, seed: int) -> float:
    """Find how small cosines may get within balls before they mix clusters.

    Args:
        rows: Shape (n, d), float32, unit length.
        n_clusters: How many k-means clusters there are.
        purity: Share of balls that lie within one cluster.
        seed: Decides where the clusters start.

    Returns:
        The cosine from which an item belongs to a ball: the quantile of items' cosines to the
        nearest item of another cluster, on up to 500 of them, evenly spread over the rows.
        O(n * (n_clusters + 500) * d) time.
    """
    some = rows[:: max(1, len(rows) // (LEARN_FROM * n_clusters))]
    centres = centroids(some, n_clusters, seed, start=spread_rows(some, n_clusters, seed))
    cluster = (rows @ centres.T).argmax(axis=1)
    checked = np.arange(0, len(rows), len(rows) // CHECKED + 1)

    def nearest_other(start: int) -> Floats:
        block = checked[start : start + BLOCK]
        cosines = rows[block] @ rows.T
        cosines[cluster[block, None] == cluster] = -1
        return np.asarray(cosines.max(axis=1))

    nearest = in_threads(nearest_other, range(0, len(checked), BLOCK))
    return float(np.quantile(np.concatenate(nearest), purity))


def balls(rows: Floats, least: float) -> Bits:
    """Find which items lie in which balls.

    Args:
        rows: Shape (n, d), float32, unit length.
        least: The cosine from which an item lies in another's ball.

    Returns:
        Shape (n, ceil(n / 8)), a symmetric matrix of bits, row by row (`np.unpackbits`).
    """
    bits = np.zeros((len(rows), (len(rows) + 7) // 8), dtype=np.uint8)

    def compare(start: int) -> None:
        """Compare a block with itself and all after it."""
        inside = rows[start : start + BLOCK] @ rows[start:].T >= least
        inside[np.arange(len(inside)), np.arange(len(inside))] = True  # rows of zeros, too
        inside[:, : len(inside)] |= inside[:, : len(inside)].T  # symmetric to the last bit
        bits[start : start + BLOCK, start // 8 :] = np.packbits(inside, axis=1)
        columns = np.packbits(np.ascontiguousarray(inside.T), axis=1)
        bits[start:, start // 8 : start // 8 + columns.shape[1]] = columns

    in_threads(compare, range(0, len(rows), BLOCK))  # none writes where another does
    return bits


@one_thread()
def cover_by_balls(sample: Sample, bits: Bits, covered: Bools, k: int) -> tuple[Integers, Integers]:
    """Pick items one after the other, each the one whose ball holds most that is not covered.

    Every item is counted once in the balls around it, and taken off once, when it is covered.

    Args:
        sample: Shape (n, d).
        bits: From `balls`.
        covered: Shape (n,), which items are covered already.
        k: How many.

    Returns:
        Places of up to k open items, no two of them alike, and how many each covers anew; fewer
        when nothing that is open covers anything. O(n^2) time in all.
    """
    counts = _balls_around(bits, np.flatnonzero(~covered))
    counts[~sample.open] = 0
    picked: list[int] = []
    picked_counts: list[int] = []
    while len(picked) < k and counts.max() > 0:
        best = int(counts.argmax())
        picked.append(best)
        picked_counts.append(int(counts[best]))
        ball = np.unpackbits(bits[best], count=len(sample)).astype(bool)
        counts -= _balls_around(bits, np.flatnonzero(ball & ~covered))
        counts[sample.alike(best, sample.cosines_to(best))] = 0
        covered = covered | ball
    return np.array(picked, dtype=np.int64), np.array(picked_counts, dtype=np.int64)


def _balls_around(bits: Bits, places: Integers) -> Integers:
    """Count, for every item, how many of some items lie in its ball."""
    counts = np.zeros(len(bits), dtype=np.int64)
    for start in range(0, len(places), BLOCK):
        inside = np.unpackbits(bits[places[start : start + BLOCK]], axis=1, count=len(bits))
        counts += inside.sum(axis=0, dtype=np.uint16)  # of no more than BLOCK: three times as fast
    return counts
