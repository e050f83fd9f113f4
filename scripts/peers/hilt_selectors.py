"""One selection by hilt, timed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import numpy as np

from hilt.rows import Rows
from hilt.selectors.base import SELECTORS
from hilt.tasks.single import Single
from hilt.types import SelectionView
from scripts.peers.selection import Pool, Select, run


def prepare(kind: str, pool: Pool) -> Select:
    """Open a pool as hilt sees it; there is no graph."""
    view = SelectionView(
        embeddings=pool.embeddings,
        proposal=Rows(pool.probabilities),
        task=Single(tuple(map(str, range(pool.probabilities.shape[1])))),
        candidates=pool.unlabelled,
        labelled=pool.labelled,
        labels=pool.labels,
        groups=np.arange(len(pool.embeddings)),
    )
    selector, rng = SELECTORS.load(kind)(), np.random.default_rng(0)
    return lambda: selector.select(view, pool.batch, rng).indices


METHODS: dict[str, Callable[[Pool], Select]] = {
    kind: partial(prepare, kind) for kind in SELECTORS.names()
}

if __name__ == "__main__":
    run(METHODS, version("hilt"))
