"""The default: a first batch at random, then the items that cover the doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from hilt.selectors.arithmetic.quotas import quotas
from hilt.selectors.arithmetic.ranking import best_first, highest, joined
from hilt.selectors.base import how_many
from hilt.selectors.herding import MANY_LABELS, Herding
from hilt.types import Selection, SelectionView

Stage = Literal["spread", "herding"]

BEHIND = 2.0  # standard errors by which chosen labels must fall short of random ones
NOTES = {
    "spread": "items at random, spread over the predicted labels: nothing is labelled yet",
    "herding": "items that represent the most uncertain items around them",
}
HALF_RANDOM = "half of them at random, because selected labels have taught less than random ones"


class Auto:
    """Adapts to the stage of the project, by what the loop has measured; there is nothing to set.

    While nothing is labelled: distinct items at random, spread over the predicted labels. After
    that, and from the first batch on where there are twenty labels or more to tell apart, which
    follow the clusters of the pool: uncertainty herding. Whenever chosen labels have taught less
    than random ones, by more than two standard errors, half of the batch is random.

    The doubt is that of the student and the proposals together, so it finds wrong proposals from
    the second batch on, however few the labels.

    Source: the order is that of Hacohen et al. 2022 (typical items first, doubtful ones later);
    that one batch of the first kind is enough was measured on text, see docs/selectors.md.
    Complexity: that of `Herding`, or less.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates as the stage asks."""
        stage, available = stage_of(view), how_many(view, k)
        if not falls_short(view):
            return replace(_pick(stage, view, k, rng), note=NOTES[stage])
        chosen = _pick(stage, view, k - k // 2, rng)
        note = f"{NOTES[stage]}; {HALF_RANDOM}"
        if len(chosen) == available:
            return replace(chosen, note=note)
        left = np.setdiff1d(view.candidates, chosen.indices)
        rest = replace(view, candidates=left, taken=np.append(view.taken, chosen.indices))
        drawn = best_first(rest, rng.random(len(left)), available - len(chosen), "random", rng)
        return replace(joined(chosen, drawn), note=note)


def stage_of(view: SelectionView) -> Stage:
    """Say which stage the loop is in."""
    few_labels = view.n_labels < MANY_LABELS
    return "spread" if few_labels and not len(view.labelled) else "herding"


def falls_short(view: SelectionView) -> bool:
    """Tell whether chosen labels have taught less than random ones, beyond noise."""
    if view.signals.advantage is None:
        return False
    difference, error = view.signals.advantage
    return difference + BEHIND * error < 0


def spread(view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
    """Draw items at random, the predicted labels sharing the places by the root of their size.

    Args:
        view: The pool as it stands.
        k: How many to pick.
        rng: The only source of chance.

    Returns:
        Up to k candidates, no two alike, highest draw first; what is within its label's share
        has a draw from [0.5, 1), which is the score, and what only fills up one from [0, 0.5).
        The reason is "spread".
    """
    predicted = view.strata(view.candidates)
    places = quotas(np.bincount(predicted), k)
    draws = rng.random(len(predicted), dtype=np.float32) / 2
    for label in np.flatnonzero(places):
        members = np.flatnonzero(predicted == label)
        draws[members[highest(draws[members], int(places[label]), rng)]] += 0.5
    return best_first(view, draws, k, "spread", rng)


def _pick(stage: Stage, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
    return spread(view, k, rng) if stage == "spread" else Herding().select(view, k, rng)
