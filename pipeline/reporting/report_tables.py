"""The lines of the report's tables, read from a workspace."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.figures import NOTHING, decimals, percent, points
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.selecting.explanation import in_words as why_in_words
from hilt.pipeline.training.headline import MIN_AUDIT, calibration
from hilt.pipeline.workspace.decisions import total_seconds
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.types import BatchItem
from hilt.values import count_labels, in_words

SHORT_TEXT = 300
LONG_TEXT = 4000
HIDDEN = "hidden"
TOO_EARLY = "too early"


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One label.

    Attributes:
        human: Items that people gave it.
        machine: Items that only a proposer gave it, in a batch.
        predicted: Items of the pool whose fused proposal it leads; None before there is one.
    """

    name: str
    description: str
    human: int
    machine: int
    predicted: int | None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One item of a batch, as far as the reader may see it.

    Attributes:
        text: Its beginning.
        full_text: As much of it as a tooltip should hold.
        proposal: The likeliest label; "hidden" while a blind item has no label.
        probability: Of that label; None while it is hidden.
        why: Why it was picked.
        decision: The resolved label, or what was done instead.
        outcome: How the decision relates to the proposal.
    """

    item: BatchItem
    text: str
    full_text: str
    proposal: str
    probability: float | None
    why: str
    decision: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ReviewerLine:
    """What one reviewer did; of an item decided twice the latest decision counts."""

    name: str
    items: int
    labels: int
    skips: int
    flags: int
    seconds: float | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Confused:
    """How often one label was predicted where another is true."""

    true: str
    predicted: str
    items: int
    share: float


@dataclass(frozen=True, slots=True)
class ConfusionLine:
    """One true label; cells are counts with their share of the line, in the order of labels."""

    label: str
    items: int
    cells: tuple[tuple[int, float], ...]


def label_lines(
    files: WorkspaceFiles, outcomes: Sequence[ItemLabel], *, usable: bool
) -> list[LabelLine]:
    """Count labels and predictions over the pool, in the configuration's order.

    Args:
        files: With the pool and what is proposed.
        outcomes: What was decided.
        usable: Whether there is a proposal for every item, of the present configuration.
    """
    human = count_labels(outcome.value or () for outcome in outcomes if not outcome.machine)
    machine = count_labels(outcome.value or () for outcome in outcomes if outcome.machine)
    predicted = _count_predicted(files) if usable else None
    return [
        LabelLine(
            name=label.name,
            description="" if label.description == label.name else label.description,
            human=human[label.name],
            machine=machine[label.name],
            predicted=None if predicted is None else predicted.get(label.name, 0),
        )
        for label in files.config.label_list
    ]


def _count_predicted(files: WorkspaceFiles) -> dict[str, int]:
    """Count how often the likeliest answer is of each kind, of items with content."""
    fused, math = files.rows(files.fused), files.task.rows
    counts = np.zeros(len(math.strata_names), dtype=np.int64)
    for block in blocks(len(fused)):
        counts += np.bincount(math.strata(fused.take(block)), minlength=len(counts))
    counts -= np.bincount(math.strata(fused.take(files.pool.empty)), minlength=len(counts))
    return dict(zip(math.strata_names, counts.tolist(), strict=True))


def batch_lines(state: LoopState, most: int) -> list[BatchLine]:
    """Describe the first `most` items of the last batch, with what was decided about them."""
    if not state.batches:
        return []
    by_index = {outcome.index: outcome for outcome in state.item_labels}
    rows = [row for row in state.standing_decisions if row.kind != "machine"]
    actions = {row.item_index: row.action for row in rows}
    decided = {row.item_index for row in rows if row.batch == state.last_batch}
    items = state.batch(state.last_batch).items[:most]
    waiting = {item.index for item in items if item.reason == "recheck"} - decided
    return [
        _batch_line(item, by_index.get(item.index), actions.get(item.index))
        if item.index not in waiting
        else _batch_line(item, None, None)
        for item in items
    ]


def _batch_line(item: BatchItem, outcome: ItemLabel | None, action: str | None) -> BatchLine:
    decision, relation = "", "undecided"
    given = "" if outcome is None or outcome.value is None else in_words(outcome.value)
    if outcome is not None and outcome.by_people:
        agrees = outcome.value == item.proposed
        decision = given
        words = ("same", "different") if item.blind else ("accepted", "changed")
        relation = words[0] if agrees else words[1]
    elif outcome is not None and not outcome.machine:
        relation = "flagged" if action == "flag" else "skipped"
    elif outcome is not None and not item.blind:  # it would give a blind item's proposal away
        decision, relation = given, "machine"
    hidden = item.blind and not decision
    return BatchLine(
        item=item,
        text=short(item.text),
        full_text=item.text[:LONG_TEXT],
        proposal=HIDDEN if hidden or item.proposed is None else in_words(item.proposed),
        probability=None if hidden or not item.proposal else item.proposal[0].probability,
        why=why_in_words(item),
        decision=decision,
        outcome=relation,
    )


def short(text: str, most: int = SHORT_TEXT) -> str:
    """Cut a text to what a cell of a table should hold."""
    return text if len(text) <= most else text[: most - 1] + "…"


def reviewer_lines(decisions: Sequence[DecisionRow]) -> list[ReviewerLine]:
    """Sum up what each reviewer did, by name."""
    rows_of: dict[str, list[DecisionRow]] = defaultdict(list)
    for row in decisions:
        rows_of[row.reviewer].append(row)
    return [_reviewer_line(name, rows_of[name]) for name in sorted(rows_of)]


def _reviewer_line(name: str, rows: Sequence[DecisionRow]) -> ReviewerLine:
    latest = {row.item_index: row for row in rows}
    actions = Counter(row.action for row in latest.values())
    return ReviewerLine(
        name=name,
        items=len(latest),
        labels=actions["label"],
        skips=actions["skip"],
        flags=actions["flag"],
        seconds=total_seconds(rows),
        simulated=all(row.kind == "simulated" for row in rows),
    )


def proposer_columns(score: str) -> list[str]:
    """Name what `proposer_rows` gives, where the task calls its accuracies `score`."""
    measured = ("audit items", "coverage", "calibration error (by chance)", "weight")
    return ["proposer", score, *measured]


def proposer_rows(summary: TrainingSummary) -> list[list[str]]:
    """Describe each proposer as a training measured it, in the order of `proposer_columns`.

    Args:
        summary: Of the training; one of an older hilt says nothing about proposers.
    """
    return [
        [
            name,
            _accuracy(told),
            f"{told['labels']:,}",
            percent(told["coverage"]),
            calibration(told) if told["labels"] >= MIN_AUDIT else NOTHING,
            decimals(told["weight"], 2),
        ]
        for name, told in summary.proposers.items()
    ]


def _accuracy(told: Mapping[str, Any]) -> str:
    """Write an accuracy on audit items, once there are enough of them."""
    if told["accuracy"] is None:
        return NOTHING
    if told["labels"] < MIN_AUDIT:
        return TOO_EARLY
    return f"{percent(told['accuracy'])} ({points(told['low'])}\u2013{points(told['high'])})"


def accepted(decisions: Sequence[DecisionRow]) -> tuple[int, int]:
    """Count the latest labels given with a proposal in view, and those that are the proposal's."""
    latest = {(row.item_index, row.reviewer): row for row in decisions}
    shown = [row for row in latest.values() if row.action == "label" and row.seen is not None]
    return sum(row.value == row.seen for row in shown), len(shown)


def confusion_lines(measure: Mapping[str, Any], labels: Sequence[str]) -> list[ConfusionLine]:
    """Read a confusion matrix line by line, true labels down."""
    return [
        ConfusionLine(
            label=label,
            items=sum(counts),
            cells=tuple((count, round(count / max(1, sum(counts)), 3)) for count in counts),
        )
        for label, counts in zip(labels, measure["confusion"], strict=True)
    ]


def most_confused(lines: Sequence[ConfusionLine], most: int) -> list[Confused]:
    """List the most frequent confusions, of equals the first."""
    confused = [
        Confused(line.label, lines[column].label, count, share)
        for row, line in enumerate(lines)
        for column, (count, share) in enumerate(line.cells)
        if count and column != row
    ]
    return sorted(confused, key=lambda each: -each.items)[:most]
