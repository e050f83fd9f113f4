"""Items whose predicted label flips when a part of the embedding is dropped, one of each kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilt.selectors.arithmetic.first_batch import cover, first_batch
from hilt.selectors.arithmetic.probe import can_fit, fit_probe
from hilt.selectors.arithmetic.ranking import filled_up
from hilt.selectors.arithmetic.rows import unit_rows
from hilt.selectors.arithmetic.threads import over_rows
from hilt.selectors.base import how_many
from hilt.types import Floats, Reason, Selection, SelectionView

PER_PICK = 25  # candidates that are clustered for every pick, at least


class DropQuery:
    """Of the candidates whose label flips under dropout, those nearest to k-means centroids.

    A linear probe is fitted to the embeddings of the labelled items, and predicts every candidate
    with all of its embedding and `passes` times with a `share` of the coordinates dropped, the
    same ones for all candidates in one pass. Whatever flips in more than half of the passes is
    clustered, and of each cluster the nearest to the centroid is picked; where fewer than 25 flip
    for every pick, those that flip less often are clustered with them. The score is the share of
    passes that flip, the reason "uncertain". Until two labels have an example, it is the first
    batch by coverage.

    The picked set does not depend on the order of the pool wherever uncertainties are distinct.

    Source: Gupte et al. 2024 (DropQuery), with passes that drop the same for all items (Kirsch, van
    Amersfoort and Gal 2019: consistent dropout).
    O(n_candidates * d * (n_labels * passes + k)) time, O(n_candidates + (block + 256 * k) * d)
    memory.

    Args:
        passes: How often a part is dropped.
        share: How much of an embedding is dropped.
    """

    tasks = ("single",)  # the probe predicts one label

    def __init__(self, passes: int = 3, share: float = 0.75) -> None:
        self.passes = passes
        self.share = share

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, one a cluster."""
        k = how_many(view, k)
        if k == 0 or not can_fit(view):
            return first_batch(view, k, rng)
        doubt = view.doubt("margin", view.candidates)
        flips = self._flips(view, rng)
        kept = flips >= min(_at_place(flips, PER_PICK * k), (self.passes // 2 + 1) / self.passes)
        shortlist = replace(view, candidates=view.candidates[kept])
        one_stratum = np.zeros(len(shortlist.candidates), dtype=np.int64)
        centres = cover(shortlist, one_stratum, doubt[kept], k, rng)
        reason: Reason = "uncertain"
        scores = flips[np.searchsorted(view.candidates, centres.indices)]
        flipped = Selection(centres.indices, scores, (reason,) * len(centres))
        return filled_up(view, flipped, doubt, k, rng)

    def _flips(self, view: SelectionView, rng: np.random.Generator) -> Floats:
        """Find the share of passes in which each candidate's label flips, shape (n_candidates,)."""
        probe = fit_probe(unit_rows(view.embeddings, view.labelled), view.labels)
        weights = np.concatenate([probe.weights[None], probe.thin(self.passes, self.share, rng)])

        def flips(rows: Floats) -> Floats:
            return share_of_flips(probe.probabilities(rows, weights))

        return np.concatenate(over_rows(view.embeddings, view.candidates, flips))


def share_of_flips(answers: Floats) -> Floats:
    """Find how many of later answers give another label than the first.

    Args:
        answers: Shape (1 + passes, n_items, n_labels).

    Returns:
        Shape (n_items,), in [0, 1].
    """
    labels = answers.argmax(axis=2)
    flips: Floats = (labels[1:] != labels[0]).mean(axis=0, dtype=np.float32)
    return flips


def _at_place(values: Floats, place: int) -> float:
    """Give the value that would stand at a place if the highest came first, or the lowest."""
    place = min(place, len(values))
    return float(np.partition(values, len(values) - place)[len(values) - place])
