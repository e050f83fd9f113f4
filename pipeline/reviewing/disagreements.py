"""How far people agree in a workspace, and what settles it where they do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from hilt.distributions import NO_LABEL, clear_label
from hilt.intervals import Share
from hilt.pipeline.duplicates.contrary import count_contrary
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.gate import add_decisions
from hilt.pipeline.workspace.labels import SETTLING, is_opinion
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.agreement import MISSING, Agreement, measure_agreement
from hilt.review.base import RESOLVED
from hilt.review.screen.protocol import Method
from hilt.review.skill import estimate_skill
from hilt.rows import Rows
from hilt.tasks.base import Answers
from hilt.types import Content, Floats, Integers, Value

Opinions = dict[int, dict[str, Value]]  # item -> reviewer -> answer

MIN_SHARED = 30  # labels of a reviewer on items that others labelled too; fewer show no skill
NAMED_REVIEWERS = 5
SOURCE = "rule"  # of the decisions that settle by one


@dataclass(frozen=True, slots=True)
class Settlement:
    """The answer that a rule gives to an item on which reviewers disagree, and by what weight."""

    item: int
    value: Value
    because: str


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """How far the people of a workspace agree.

    Attributes:
        disputed: Items on which they disagree, and that nobody settled.
        settled: Items that this call settled.
        gold: How often each reviewer is right on items with a known answer.
        little_known: Reviewers with fewer than 30 labels on items that others labelled too, and how
            many they have: too few to weight them by skill.
        contrary: Texts whose items have different labels, though the texts are the same.
    """

    agreement: Agreement
    disputed: int
    settled: int
    gold: dict[str, Share]
    little_known: dict[str, int]
    contrary: int


def agreement(workspace: Workspace, *, settle: Method | None = None) -> PeopleResult:
    """Measure how well people agree, and settle their disagreements by a rule, if asked to.

    Args:
        workspace: Whose decisions to look at.
        settle: `majority`: more than half of the reviewers; `skill`: each reviewer weighted by
            how good they are at each label (Dawid and Skene); of those with few labels
            (`PeopleResult.little_known`) that is hardly known.
    """
    state = LoopState.read(workspace)
    settled = [] if settle is None else settle_disputes(state, workspace.database, settle)
    state = state.after_decisions(settled)
    rows = said_of_texts(state)
    said = opinions(rows)
    names = sorted({name for given in said.values() for name in given})
    answers = workspace.task.answers
    ratings, offsets = _ratings(said, names, answers, _contents(state, said))
    items = np.repeat(np.arange(len(said)), np.diff(offsets))
    rng = generator(workspace.config.seed, Stream.BOOTSTRAP)
    return PeopleResult(
        agreement=measure_agreement(ratings, names, answers.categories, rng, items),
        disputed=len(disputed(rows)),
        settled=len(settled),
        gold=gold_accuracy(rows),
        little_known=little_known(said),
        contrary=count_contrary(workspace, state.item_labels),
    )


def said_of_texts(state: LoopState) -> list[DecisionRow]:
    """List the standing decisions about items that have a text.

    What was said of an item without one, as older versions asked for, stays stored and counts for
    nothing.
    """
    empty = set(state.files.pool.empty.tolist())
    return [row for row in state.standing_decisions if row.item_index not in empty]


def settle_disputes(state: LoopState, database: Database, method: Method) -> list[DecisionRow]:
    """Settle the disagreements that a rule can, and give the decisions by which that is done."""
    rows = said_of_texts(state)
    ids = {row.item_index: row for row in rows}
    contents = _contents(state, opinions(rows)) if method == "skill" else {}
    return add_decisions(
        state.files,
        database,
        [
            DecisionRow(
                item_index=each.item,
                item_id=ids[each.item].item_id,
                action="label",
                value=each.value,
                reviewer=RESOLVED + method,
                blind=True,
                audit=False,
                comment=each.because,
                source=SOURCE,
                decided_at=datetime.now(UTC),
                kind="rule",
            )
            for each in settlements(rows, method, state.files.task.answers, contents)
        ],
    )


def settlements(
    rows: Iterable[DecisionRow],
    method: Method,
    answers: Answers,
    contents: Mapping[int, Content],
) -> list[Settlement]:
    """Say what a rule makes of every item on which reviewers disagree.

    Where it favours no answer, the item stays for a person to settle.

    Args:
        rows: The decisions that stand.
        method: The rule.
        answers: Of the task.
        contents: Of the items with an opinion, which `skill` looks at.
    """
    rows = list(rows)
    said, open_ = opinions(rows), disputed(rows)
    if method == "majority":
        return [each for item in open_ if (each := _majority(item, said[item])) is not None]
    if not open_:
        return []
    names = sorted({name for given in said.values() for name in given})
    ratings, offsets = _ratings(said, names, answers, contents)
    rated = Rows(estimate_skill(ratings, len(answers.categories)).probabilities, offsets)
    place = {item: number for number, item in enumerate(said)}
    found = (_by_skill(item, rated.of(place[item]), answers, contents[item]) for item in open_)
    return [each for each in found if each is not None]


def _by_skill(
    item: int, probabilities: Floats, answers: Answers, content: Content
) -> Settlement | None:
    """Put the likeliest rating of each unit together, if every one is clear."""
    best = clear_label(probabilities)
    if (best == NO_LABEL).any():
        return None
    value = answers.rated([answers.categories[each] for each in best], content)
    return Settlement(item, value, f"probability {probabilities.max(axis=1).min():.3f}")


def opinions(rows: Iterable[DecisionRow]) -> Opinions:
    """Read the latest answer of each reviewer on each item; what settles things is no opinion."""
    latest = {(row.item_index, row.reviewer): row for row in rows if is_opinion(row)}
    said: Opinions = defaultdict(dict)
    for (item, reviewer), row in sorted(latest.items()):
        if row.action == "label":
            said[item][reviewer] = row.value
    return said


def little_known(said: Mapping[int, Mapping[str, Value]]) -> dict[str, int]:
    """Count labels on shared items, of the reviewers who have too few to show their skill.

    Args:
        said: The answer of each reviewer on each item.
    """
    shared = Counter(name for labels in said.values() if len(labels) > 1 for name in labels)
    return {name: count for name, count in sorted(shared.items()) if count < MIN_SHARED}


def doubt_of_skill(few: Mapping[str, int]) -> str:
    """Say whose skill is hardly known; empty where everybody's is."""
    if not few:
        return ""
    named = [f"{name} has {count}" for name, count in list(few.items())[:NAMED_REVIEWERS]]
    if len(few) > NAMED_REVIEWERS:
        named.append(f"{len(few) - NAMED_REVIEWERS} more have fewer than {MIN_SHARED}")
    return (
        f"Settle by majority or one by one rather than by skill: with fewer than {MIN_SHARED}"
        " labels on items that others labelled too, the skill of a reviewer is hardly known"
        f" ({', '.join(named)})."
    )


def disputed(rows: Iterable[DecisionRow]) -> list[int]:
    """List the items on which reviewers give different labels, and that nothing settles."""
    rows = list(rows)
    settled = {row.item_index for row in rows if row.kind in SETTLING}
    return [
        item
        for item, labels in opinions(rows).items()
        if len(set(labels.values())) > 1 and item not in settled
    ]


def gold_accuracy(rows: Iterable[DecisionRow]) -> dict[str, Share]:
    """Measure how often each reviewer gives the very answer, on the items where it is known."""
    rows = list(rows)
    gold = {r.item_index: r.value for r in rows if r.kind == "gold" and r.action == "label"}
    right: dict[str, list[bool]] = defaultdict(list)
    for item, values in opinions(rows).items():
        for reviewer, value in values.items():
            if item in gold:
                right[reviewer].append(value == gold[item])
    return {name: Share.of(sum(hits), len(hits)) for name, hits in sorted(right.items())}


def _majority(item: int, said: Mapping[str, Value]) -> Settlement | None:
    value, votes = Counter(said.values()).most_common(1)[0]
    if 2 * votes <= len(said):
        return None
    return Settlement(item, value, f"{votes} of {len(said)}")


def _contents(state: LoopState, said: Opinions) -> dict[int, Content]:
    return dict(zip(said, state.files.pool.contents(list(said)), strict=True))


def _ratings(
    said: Opinions, names: list[str], answers: Answers, contents: Mapping[int, Content]
) -> tuple[Integers, Integers]:
    """Lay opinions out: shape (n_units, n_reviewers), with the offsets of the items' units."""
    place = {category: position for position, category in enumerate(answers.categories)}
    column = {name: number for number, name in enumerate(names)}
    tables = []
    for item, given in said.items():
        rated = {name: answers.ratings(value, contents[item]) for name, value in given.items()}
        table = np.full((len(next(iter(rated.values()))), len(names)), MISSING, dtype=np.int64)
        for name, ratings in rated.items():
            table[:, column[name]] = [place[rating] for rating in ratings]
        tables.append(table)
    offsets = np.cumsum([0, *map(len, tables)])
    return np.concatenate([np.empty((0, len(names)), dtype=np.int64), *tables]), offsets
