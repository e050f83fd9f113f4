"""Long gradients that point different ways: uncertain items that differ from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hilt.blocks import blocks
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.sampling import Sample, read_sample
from hilt.selectors.arithmetic.threads import one_thread
from hilt.selectors.base import how_many
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

BLOCK = 16_384  # candidates whose gradients are made at one time
DRAWS = 1024  # items drawn at one time, of which some become picks


class Badge:
    """Candidates whose gradients are long and far from each other, by k-means++.

    The gradient is that of the loss in the last layer of the student, if the likeliest label were
    true: the outer product of the embedding and (probabilities - likeliest label). It is long
    where the proposal is unsure. The first pick has the longest; each further one is drawn with
    a probability proportional to its squared distance to the nearest pick before it. The score is
    the length of the gradient, the reason "uncertain". Labelled items play no part, as in the
    paper. Where every gradient left is 0, the most uncertain fill up.

    The picked set does not depend on the order of the pool wherever gradients differ in length.

    Source: Ash et al. 2020 (BADGE); Arthur and Vassilvitskii 2007 (k-means++).
    `draw_far_apart` says what it costs.
    """

    tasks = ("single",)  # the gradient of one distribution over the labels

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, in the order in which they are drawn."""
        k = how_many(view, k)
        doubt = view.doubt("margin", view.candidates)  # refuses NaN
        lengths = gradient_lengths(view, view.candidates)
        indices = draw_far_apart(view, lengths, k, rng)
        picked_lengths = lengths[np.searchsorted(view.candidates, indices)]
        reason: Reason = "uncertain"
        drawn = Selection(indices, picked_lengths, (reason,) * len(indices))
        return filled_up(view, drawn, doubt, k, rng)


@dataclass(frozen=True, slots=True)
class Gradients:
    """Gradients as factors: the outer products of their rows are never made.

    Attributes:
        rows: Shape (n, d), the embeddings.
        residuals: Shape (n, n_labels), the probabilities less 1 for the likeliest label.
    """

    rows: Floats
    residuals: Floats

    def __getitem__(self, places: Sequence[int]) -> Gradients:
        return Gradients(self.rows[places], self.residuals[places])

    def squared_distances(self, others: Gradients) -> Floats:
        """Compute |g|^2 + |h|^2 - 2 <g, h> for every pair, shape (n, n_others).

        The product of two outer products is that of the products of their factors.
        """
        products = (self.rows @ others.rows.T) * (self.residuals @ others.residuals.T)
        squares = self._squared_lengths()[:, None] + others._squared_lengths()
        distances: Floats = np.maximum(squares - 2 * products, 0)
        return distances

    def _squared_lengths(self) -> Floats:
        rows = np.einsum("ij,ij->i", self.rows, self.rows)
        residuals = np.einsum("ij,ij->i", self.residuals, self.residuals)
        squares: Floats = rows * residuals
        return squares


def gradient_lengths(view: SelectionView, indices: Integers) -> Floats:
    """Find how long the gradients of items with embeddings of length 1 are.

    Returns:
        Shape (m,), float32, in [0, 1). O(m * n_labels) time.
    """
    lengths = np.empty(len(indices), dtype=np.float32)
    for block in blocks(len(indices), BLOCK):
        lengths[block] = np.linalg.norm(_residuals(view, indices[block]), axis=1)
    return lengths


@one_thread()
def draw_far_apart(
    view: SelectionView, lengths: Floats, k: int, rng: np.random.Generator
) -> Integers:
    """Draw candidates by k-means++ on their gradients, no two of them alike.

    A candidate's squared distance to the nearest pick is only computed once it is drawn, from
    bounds above: at first (|g| + the shortest pick)^2, later whatever was computed last. It is
    kept with the probability distance / bound. So it is kept with one proportional to the
    distance itself, and k-means++ needs no pass over the pool for every pick.

    Args:
        view: The pool as it stands.
        lengths: Shape (n_candidates,), of their gradients.
        k: How many.
        rng: The only source of chance.

    Returns:
        Shape (up to k,), indices; fewer once all distances are 0.
        O(n_candidates * log n_candidates) time, and for every block of draws O(n_candidates
        + draws * k * (d + n_labels)); O(n_candidates + draws * (d + n_labels)) memory.
    """
    order = np.argsort(-lengths, kind="stable")  # not the order of the pool
    indices, lengths = view.candidates[order], lengths[order].astype(np.float64)
    picked = pick_distinct(view, [indices], min(k, 1))
    bounds = np.full(len(indices), np.inf)
    while 0 < len(picked) < k:
        shortest = lengths[np.isin(indices, picked)].min()
        np.minimum(bounds, (lengths + shortest) ** 2, out=bounds)
        sums = np.cumsum(bounds)
        if sums[-1] <= 0:
            break
        drawn = np.searchsorted(sums, sums[-1] * rng.random(DRAWS), side="right")
        limits = bounds[drawn] * rng.random(DRAWS)
        places, draws = np.unique(drawn, return_inverse=True)
        sample = read_sample(replace(view, taken=np.append(view.taken, picked)), indices[places])
        gradients = Gradients(sample.rows, _residuals(view, indices[places]))
        distances = gradients.squared_distances(_gradients(view, picked)).min(axis=1)
        distances[~sample.open] = 0
        kept = _keep(sample, gradients, distances, draws, limits)[: k - len(picked)]
        picked = np.append(picked, indices[places[kept]])
        bounds[places] = np.minimum(bounds[places], distances)
    return picked


def _keep(
    sample: Sample, gradients: Gradients, distances: Floats, draws: Integers, limits: Floats
) -> list[int]:
    """Go through draws in order, and keep those that are far enough from all before them.

    Args:
        sample: Shape (n, d), what was drawn.
        gradients: Theirs.
        distances: Shape (n,), squared, to the nearest pick; brought up to date.
        draws: Shape (DRAWS,), places in the sample, in the order in which they were drawn.
        limits: Shape (DRAWS,), the squared distance above which each draw is kept.

    Returns:
        Places in the sample.
    """
    kept: list[int] = []
    while len(far := np.flatnonzero(limits < distances[draws])):
        place = int(draws[far[0]])
        kept.append(place)
        np.minimum(distances, gradients.squared_distances(gradients[[place]])[:, 0], out=distances)
        distances[sample.alike(place, sample.cosines_to(place))] = 0
        draws, limits = draws[far[0] + 1 :], limits[far[0] + 1 :]
    return kept


def _gradients(view: SelectionView, indices: Integers) -> Gradients:
    return Gradients(unit_rows(view.embeddings, indices), _residuals(view, indices))


def _residuals(view: SelectionView, indices: Integers) -> Floats:
    residuals = view.proposal.values[indices].astype(np.float32)
    residuals[np.arange(len(residuals)), residuals.argmax(axis=1)] -= 1
    return residuals
