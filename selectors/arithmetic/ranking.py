"""Going through scored items from the highest score down, no further than needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.types import Floats, Integers, Reason, Selection, SelectionView

NOTHING = Selection(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), ())


def highest(scores: Floats, count: int, rng: np.random.Generator) -> Integers:
    """Find the highest scores, highest first; chance decides among equal ones.

    Where scores are distinct, chance plays no part and neither does the order of the pool.

    Args:
        scores: Shape (n,).
        count: How many.
        rng: The only source of chance.

    Returns:
        Shape (min(count, n),), places in `scores`. O(n + count log count) time.
    """
    places = np.arange(len(scores))
    if count < len(scores):
        lowest = np.partition(scores, len(scores) - count)[len(scores) - count]
        above = np.flatnonzero(scores > lowest)
        level = np.flatnonzero(scores == lowest)
        places = np.append(above, rng.choice(level, count - len(above), replace=False))
    places = rng.permutation(places)
    return places[np.argsort(-scores[places], kind="stable")]


def descending(scores: Floats, first: int, rng: np.random.Generator) -> Iterator[Integers]:
    """Yield all places in `scores`, highest first, in chunks that grow from `first`."""
    left = np.arange(len(scores))
    while len(left):
        top = highest(scores[left], first, rng)
        yield left[top]
        left = np.delete(left, top)
        first *= 4


def best_first(
    view: SelectionView, scores: Floats, k: int, reason: Reason, rng: np.random.Generator
) -> Selection:
    """Pick the candidates with the highest scores, no two of them alike.

    Args:
        view: The pool as it stands.
        scores: Shape (n_candidates,), in [0, 1].
        k: How many to pick.
        reason: Why they are picked.
        rng: Decides among equal scores.

    Returns:
        Up to k candidates, highest score first.
    """
    chunks = (view.candidates[places] for places in descending(scores, 2 * k, rng))
    picked = pick_distinct(view, chunks, k)
    picked_scores = scores[np.searchsorted(view.candidates, picked)]
    return Selection(picked, picked_scores, (reason,) * len(picked))


def filled_up(
    view: SelectionView, picked: Selection, scores: Floats, k: int, rng: np.random.Generator
) -> Selection:
    """Add the most uncertain candidates where fewer than k were picked.

    Args:
        view: The pool as it stands.
        picked: Some candidates, no two of them alike.
        scores: Shape (n_candidates,), the uncertainty of each.
        k: How many there should be in the end.
        rng: Decides among equal scores.

    Returns:
        What was picked, and after it up to k - len(picked) others with the reason "uncertain".
    """
    if len(picked) >= k:
        return picked
    rest = replace(view, taken=np.append(view.taken, picked.indices))
    return joined(picked, best_first(rest, scores, k - len(picked), "uncertain", rng))


def joined(first: Selection, second: Selection) -> Selection:
    """Put one selection after another; the note is the first one's."""
    return replace(
        first,
        indices=np.append(first.indices, second.indices),
        scores=np.append(first.scores, second.scores),
        reasons=first.reasons + second.reasons,
    )


def draw(places: Integers, scores: Floats, size: int, rng: np.random.Generator) -> Integers:
    """Draw some places uniformly, the same whatever the order of the pool.

    Args:
        places: Shape (n,), places in `scores`.
        scores: Shape (at least n,); where they are distinct, they say which place is which.
        size: How many.
        rng: The only source of chance.

    Returns:
        Shape (min(size, n),), highest score first. O(n log n) time.
    """
    ordered = places[np.argsort(-scores[places], kind="stable")]
    if len(ordered) <= size:
        return ordered
    return ordered[np.sort(rng.choice(len(ordered), size, replace=False))]
