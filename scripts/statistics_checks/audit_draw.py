"""The audit is a uniform sample of the items, also where near-duplicates and copies abound.

In a pool of 400, a group of 120 near-duplicates is easy: the student is right on 97 % of them and
on 80 % of the others. Batches are composed in a real workspace, for many seeds. Copies to the
letter, of which one is asked and counts for all, are drawn without one, as its draw is arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.selecting.composition import compose
from hilt.pipeline.workspace.audit_slice import AuditDraw, count_drawn
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Floats, Integers
from scripts.statistics_checks.cells import Cells, Figure, Result, judged
from scripts.statistics_checks.planted import NOTICE, make_pool

ITEMS, GROUP = 400, 120
RIGHT_ON_GROUP, RIGHT_ELSEWHERE = 0.97, 0.8
BATCHES = ((10, 10), (3, 30))  # how many, and how many audit items in each
HALF_A_POINT = 0.005


def check(cells: Cells) -> list[Result]:
    """Measure a student by audits, and compare with its accuracy on the whole pool."""
    slack = 3.3 if cells.quick else 0.0
    results = []
    for batches, size in BATCHES[-1:] if cells.quick else BATCHES:
        name, runs = f"{batches} x {size} items", cells.runs(1000, 8)
        simulated = partial(near_duplicates, batches=batches, size=size, runs=runs)
        found = cells.keep(f"audit-{batches}x{size}", simulated)
        share = GROUP / ITEMS
        results += [
            judged(f"audit: share of the group, {name}", found["share"], share, share),
            _unbiased(f"audit: bias of the accuracy, {name}", found["bias"], slack),
        ]
    copies = cells.keep("audit-copies", partial(exact_copies, runs=cells.runs(8000, 300)))
    return [*results, _unbiased("audit: bias among copies, 10 x 3 items", copies["bias"], slack)]


def _unbiased(name: str, figure: Figure, slack: float) -> Result:
    return judged(name, figure, -HALF_A_POINT, HALF_A_POINT, slack)


def near_duplicates(
    rng: np.random.Generator, batches: int, size: int, runs: int
) -> Mapping[str, Figure]:
    """Compose batch after batch, for every seed anew."""
    texts = [f"{NOTICE} number {n} of the same kind" for n in range(GROUP)]
    texts += [f"Item {n} about {rng.integers(10**9)}" for n in range(ITEMS - GROUP)]
    right = _right()
    shares, biases = [], []
    with TemporaryDirectory() as folder:
        workspace = make_pool(Path(folder) / "pool", texts, audit=1.0)
        for seed in range(runs):
            audited = _audit(_seeded(workspace, seed), batches, size)
            shares.append((audited < GROUP).mean())
            biases.append(right[audited].mean() - right.mean())
        workspace.database.close()
    return {"share": Figure.mean(shares), "bias": Figure.mean(biases)}


def _seeded(workspace: Workspace, seed: int) -> Workspace:
    """Give the same workspace with another seed."""
    seeded = replace(workspace, config=workspace.config.model_copy(update={"seed": seed}))
    vars(seeded).update(pool=workspace.pool, store=workspace.database)
    return seeded


def _audit(workspace: Workspace, batches: int, size: int) -> Integers:
    """Compose batches beside each other, and list their audit items."""
    waiting: list[int] = []
    state = LoopState.read(workspace)
    panel = Panel.of(state)
    for _ in range(batches):
        rows = compose(state, panel, size, None, waiting).rows
        waiting += [row.item_index for row in rows if row.reason == "audit"]
    assert len(waiting) == batches * size
    return np.array(waiting)


def exact_copies(rng: np.random.Generator, runs: int) -> Mapping[str, Figure]:
    """Draw audits in ten batches of three from a pool of which a text is 30 %."""
    texts = [NOTICE] * GROUP + [f"Item {n // 2}" for n in range(ITEMS - GROUP)]
    right = _right()
    right[:GROUP] = True  # of one text there is one answer
    right[GROUP + 1 :: 2] = right[GROUP::2]
    biases = []
    for seed in range(runs):
        numbers = draw(map(str, range(ITEMS)), seed, "audit")
        asked: list[int] = []
        copies: dict[int, int] = {}
        for _ in range(10):
            free = np.ones(ITEMS, dtype=bool)
            free[[*asked, *copies]] = False
            heard = {texts[index]: index for index in asked}
            drawn = AuditDraw(numbers, free, heard, lambda rows: [texts[row] for row in rows])
            part = drawn.slice(3)
            asked += part.asked.indices.tolist()
            copies |= part.copies
        times = count_drawn(copies, asked)
        biases.append(times @ right[asked] / times.sum() - right.mean())
    return {"bias": Figure.mean(biases)}


def _right() -> Floats:
    """Say where the student is right: on all but every 33rd of the group, and 5th of the others."""
    places = np.append(np.arange(GROUP), np.arange(ITEMS - GROUP))
    every = np.where(np.arange(ITEMS) < GROUP, 1 / (1 - RIGHT_ON_GROUP), 1 / (1 - RIGHT_ELSEWHERE))
    return (places % every.round() > 0).astype(np.float64)
