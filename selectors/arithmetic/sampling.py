"""Some candidates in memory, for what compares every one of them with every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hilt.selectors.arithmetic.distinct import ROUNDING
from hilt.selectors.arithmetic.ranking import draw
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import in_threads
from hilt.types import Floats, Integers, SelectionView

BLOCK = 256  # known rows that all of a sample are compared with at one time
PICKED_OF_SAMPLE = 4  # a sample has so many times the items that are picked from it, at least

Bools = npt.NDArray[np.bool_]
Pick = Callable[[SelectionView, Integers, int], tuple[Integers, Floats]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Some items of a pool.

    Attributes:
        rows: Shape (n, d), float32, unit length.
        groups: Shape (n,), equal for items with the same text.
        open: Shape (n,), which may be picked: those that are not like what is taken.
        near: Cosine from which two items are alike.
    """

    rows: Floats
    groups: Integers
    open: Bools
    near: float

    def __len__(self) -> int:
        return len(self.rows)

    def cosines_to(self, place: int) -> Floats:
        """Compare every item with one of them, shape (n,)."""
        cosines: Floats = self.rows @ self.rows[place]
        return cosines

    def alike(self, place: int, cosines: Floats) -> Bools:
        """Tell which items may not be picked beside one of them, itself included, shape (n,)."""
        same_text: Bools = self.groups == self.groups[place]
        return same_text | (cosines >= self.near)


def read_sample(view: SelectionView, indices: Integers) -> Sample:
    """Read some items, and see which of them are like what is taken."""
    rows, groups = unit_rows(view.embeddings, indices), view.groups[indices]
    taken = unit_rows(view.embeddings, view.taken)
    near = view.near_duplicate - ROUNDING
    open_ = ~np.isin(groups, view.groups[view.taken])
    open_ &= (rows @ taken.T < near).all(axis=1)
    return Sample(rows, groups, open_, near)


def nearest_cosines(sample: Sample, known: Floats) -> Floats:
    """Find the cosine of every item of a sample to the nearest of some rows.

    Args:
        sample: Shape (n, d).
        known: Shape (m, d), float32, unit length.

    Returns:
        Shape (n,), minus infinity where no row is known. O(m * n * d) time.
    """
    blocks = [known[start : start + BLOCK] for start in range(0, len(known) or 1, BLOCK)]
    nearest = in_threads(lambda block: (block @ sample.rows.T).max(axis=0, initial=-np.inf), blocks)
    return np.asarray(np.max(nearest, axis=0))


def pick_from_samples(
    view: SelectionView, scores: Floats, size: int, k: int, rng: np.random.Generator, pick: Pick
) -> tuple[Integers, Floats]:
    """Pick from a sample of the candidates, and from further ones while k are not reached.

    Args:
        view: The pool as it stands.
        scores: Shape (n_candidates,); distinct ones make the samples independent of the order of
            the pool.
        size: Of a sample.
        k: How many to pick in all.
        rng: Draws the samples.
        pick: Given the view, with what was picked among the taken, the indices of a sample and a
            number: gives up to so many of those indices, and their scores.

    Returns:
        Indices of up to k candidates and their scores; fewer once nothing is picked from a sample.
    """
    picked, picked_scores = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    most = max(size // PICKED_OF_SAMPLE, 1)
    while len(picked) < k:
        left = np.flatnonzero(~np.isin(view.candidates, picked))
        indices = view.candidates[draw(left, scores, size, rng)]
        taken = np.append(view.taken, picked)
        more, more_scores = pick(replace(view, taken=taken), indices, min(most, k - len(picked)))
        if not len(more):
            break
        picked, picked_scores = np.append(picked, more), np.append(picked_scores, more_scores)
    return picked, picked_scores
