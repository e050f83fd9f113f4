"""What the selector picks for a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hilt.selectors.base import make_selector
from hilt.types import Selection, SelectionView

NEVER_ALIKE = 1.5  # above every cosine


def choose(
    settings: Mapping[str, Any], view: SelectionView, count: int, rng: np.random.Generator
) -> Selection:
    """Let the selector pick, and pick once more where it found too few that are not alike.

    Embeddings also call items alike that share a disclaimer, or a beginning of which the encoder
    saw no more. So by embedding items are kept apart only as long as there are others.

    Args:
        settings: What the configuration says of the selector.
        view: The pool as it stands.
        count: How many to pick; fewer where the candidates are used up.
        rng: Draws.
    """
    if not count or not len(view.candidates):
        return Selection(np.empty(0, dtype=np.int64), np.empty(0), ())
    selector = make_selector(settings, view.task)
    first = selector.select(view, count, rng)
    taken = np.append(view.taken, first.indices)
    left = view.candidates[~np.isin(view.groups[view.candidates], view.groups[taken])]
    if len(first) == count or not len(left):
        return first
    beside = replace(view, candidates=left, taken=taken, near_duplicate=NEVER_ALIKE)
    more = selector.select(beside, count - len(first), rng)
    return replace(
        first,
        indices=np.append(first.indices, more.indices),
        scores=np.append(first.scores, more.scores),
        reasons=first.reasons + more.reasons,
    )
