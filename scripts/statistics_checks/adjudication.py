"""An audit label that is overturned stays in the audit.

People err where the student errs, and what they got wrong is put right later by an adjudicator. If
that took the item out of the audit, the easy ones would be left.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np

from hilt.pipeline.workspace.labels import resolve_all
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.tasks.single import Single
from hilt.values import value_of
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

ITEMS = 100  # of an audit
HARD = 0.3  # of the items; people and student err on these
STUDENT_RIGHT = {True: 0.6, False: 0.96}  # on hard items, and on others
PERSON_RIGHT = {True: 0.7, False: 0.99}
ANSWERS = Single(("right", "wrong")).answers
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def check(cells: Cells) -> list[Result]:
    """Measure a student on audits of which the wrong labels were adjudicated."""
    found = cells.keep("adjudication", partial(simulate, runs=cells.runs(1500, 100)))
    return [
        judged("adjudication: share of the audit that is left", found["left"], 1, 1, slack=0),
        judged("adjudication: accuracy shown less the true one", found["bias"], 0, 0),
    ]


def simulate(rng: np.random.Generator, runs: int) -> dict[str, Figure]:
    """Audit, adjudicate, and compare what is measured with the truth, again and again."""
    expected = HARD * STUDENT_RIGHT[True] + (1 - HARD) * STUDENT_RIGHT[False]
    left, bias = [], []
    for _ in range(runs):
        hard = rng.random(ITEMS) < HARD
        student = rng.random(ITEMS) < np.where(hard, STUDENT_RIGHT[True], STUDENT_RIGHT[False])
        person = rng.random(ITEMS) < np.where(hard, PERSON_RIGHT[True], PERSON_RIGHT[False])
        rows = [_row(item, bool(right), audit=True) for item, right in enumerate(person)]
        rows += [_row(int(item), True, audit=False) for item in np.flatnonzero(~person)]
        for number, row in enumerate(rows):
            row.id = number + 1
        audit = [outcome for outcome in resolve_all(rows, ANSWERS) if outcome.audit]
        kept = [outcome.index for outcome in audit]
        said = np.array([outcome.value == value_of("right") for outcome in audit])
        left.append(len(audit) / ITEMS)
        bias.append((student[kept] == said).mean() - expected)
    return {"left": Figure.mean(left), "bias": Figure.mean(bias)}


def _row(item: int, right: bool, *, audit: bool) -> DecisionRow:
    return DecisionRow(
        item_index=item,
        item_id=str(item),
        action="label",
        value=value_of("right" if right else "wrong"),
        reviewer="ann" if audit else "chief",
        blind=audit,
        audit=audit,
        source="screen",
        decided_at=MADE,
        kind="review" if audit else "adjudication",
    )
