"""Settling by skill does no worse than by majority, or hilt says beforehand that it may.

Twenty reviewers, right on 50 to 95 %, label items of which each goes to five of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np

from hilt.pipeline.reviewing.disagreements import (
    doubt_of_skill,
    little_known,
    opinions,
    settlements,
)
from hilt.pipeline.workspace.labels import resolve_all
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.tasks.single import Single
from hilt.types import Integers
from hilt.values import value_of
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

LABELS = ("a", "b", "c", "d")
ANSWERS = Single(LABELS).answers
REVIEWERS, EACH = 20, 5  # how many label an item
SKILLS = (0.5, 0.95)
FEW, ENOUGH = 15, 30  # labels of a reviewer
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def check(cells: Cells) -> list[Result]:
    """Settle by either rule, and compare with the truth."""
    runs = cells.runs(1000, 8)
    few = cells.keep("settling-few", partial(simulate, labels=FEW, runs=runs))
    enough = cells.keep("settling-enough", partial(simulate, labels=ENOUGH, runs=runs))
    return [
        judged(f"settling: warned of skill, {FEW} labels each", few["warned"], 1, 1, slack=0),
        judged(f"settling: warned of skill, {ENOUGH} labels each", enough["warned"], 0, 0, slack=0),
        judged(f"settling: skill less majority, {FEW} labels each", few["gain"], 0, 1),
        judged(f"settling: skill less majority, {ENOUGH} labels each", enough["gain"], 0, 1),
    ]


def simulate(rng: np.random.Generator, labels: int, runs: int) -> dict[str, Figure]:
    """Let people disagree, and settle: the share warned, and what skill gains over majority."""
    warned, gain = [], []
    for _ in range(runs):
        truth = rng.integers(len(LABELS), size=REVIEWERS * labels // EACH)
        rows = _rows(rng, truth)
        warned.append(bool(doubt_of_skill(little_known(opinions(rows)))))
        right = {}
        for method in ("majority", "skill"):
            made = settlements(rows, method, ANSWERS, dict.fromkeys(range(len(truth)), ""))
            settled = {each.item: each.value for each in made}
            said = [settled.get(each.index, each.value) for each in resolve_all(rows, ANSWERS)]
            hits = [value_of(LABELS[true]) == v for true, v in zip(truth, said, strict=True)]
            right[method] = sum(hits) / len(hits)
        gain.append(right["skill"] - right["majority"])
    return {"warned": Figure.share(warned), "gain": Figure.mean(gain)}


def _rows(rng: np.random.Generator, truth: Integers) -> list[DecisionRow]:
    """Deal the items to the reviewers, as many to each, and let them decide."""
    skill = rng.uniform(*SKILLS, REVIEWERS)
    turns = [rng.permutation(REVIEWERS) for _ in range(len(truth) * EACH // REVIEWERS)]
    dealt = np.concatenate(turns).reshape(len(truth), EACH)
    wrong = rng.random(dealt.shape) > skill[dealt]
    said = (truth[:, None] + wrong * rng.integers(1, len(LABELS), size=dealt.shape)) % len(LABELS)
    return [
        DecisionRow(
            id=number + 1,
            item_index=number // EACH,
            item_id=str(number // EACH),
            action="label",
            value=value_of(LABELS[label]),
            reviewer=f"reviewer {reviewer}",
            blind=True,
            audit=False,
            source="screen",
            decided_at=MADE,
            kind="review",
        )
        for number, (reviewer, label) in enumerate(
            zip(dealt.ravel().tolist(), said.ravel().tolist(), strict=True)
        )
    ]
