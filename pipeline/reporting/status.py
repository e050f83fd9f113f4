"""Where a workspace stands, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.intervals import Share
from hilt.pipeline.duplicates.summary import DuplicatesSummary, summarise
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.damage import say_damaged
from hilt.pipeline.proposing.one_sided import OneSided, find_one_sided
from hilt.pipeline.proposing.outdated import read_outdated, say_outdated
from hilt.pipeline.reviewing.anchoring import Anchoring, anchoring, bulk_accuracy
from hilt.pipeline.reviewing.disagreements import disputed, said_of_texts
from hilt.pipeline.reviewing.next_steps import NextStep, next_step
from hilt.pipeline.selecting.item_seconds import measured_cost
from hilt.pipeline.training.headline import accuracy_lines, told_in_full
from hilt.pipeline.workspace.decisions import count_notes, total_seconds
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.growing import source_is_as_read, source_path
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace
from hilt.values import count_labels


@dataclass(frozen=True, slots=True)
class Status:
    """Where a workspace stands.

    Attributes:
        items: Size of the pool.
        empty_texts: Items without a text; they keep their place, and nobody is asked about them.
        exact_duplicates: Items whose text came before; they are kept, and not asked twice.
        human_labels: Items with a label that people gave.
        machine_labels: Items with a label that only a proposer gave, by `hilt oracle`.
        audit_labels: How many of people's were given blind, as part of an audit slice.
        skipped: Items that somebody skipped.
        flagged: Items that somebody flagged.
        commented: Items that somebody wrote a comment on.
        duplicates: Groups of near-duplicates, and the labels inherited in them; None where the
            file that holds the groups is damaged.
        review_seconds: Time that people took for the decisions that stand; None where nobody
            measured it.
        review_minutes: The same in minutes, 0 where nobody measured it.
        label_counts: Labels that people gave, by name.
        batch: Number of the last batch, 0 before the first.
        open_items: Undecided items of that batch.
        without_text: Items of that batch without a text, which count as decided; only older
            versions asked about them.
        cycle: Number of the last training, 0 before the first.
        training: What that training came to: kind of student, measures.
        accuracy: How good its student is, in sentences: on a test set, on items like the pool, on
            what is left of the pool.
        anchoring: How far people lean towards what they are shown; None before it is known.
        cost: What a decision takes, and whether it can be told which items are slow; None before a
            decision has a time.
        bulk: How often decisions in bulk hold when they are asked again; None before any was.
        changed_source: The file from which the pool was read, where it is not as it was then.
        source_gone: Whether it is no longer there.
        disputed: Items on which people disagree, and that nothing settles.
        one_sided: Proposers that give nearly all of their guesses to one label.
        damaged: What is damaged of what can be made again, in sentences.
        outdated: What other configurations made than the present one, in sentences.
        finished: Whether nothing is left to ask, and everything that was said is learnt.
        next_step: The command to run next.
    """

    items: int
    empty_texts: int
    exact_duplicates: int
    human_labels: int
    machine_labels: int
    audit_labels: int
    skipped: int
    flagged: int
    commented: int
    duplicates: DuplicatesSummary | None
    review_seconds: float | None
    review_minutes: float
    label_counts: dict[str, int]
    batch: int
    open_items: int
    without_text: int
    cycle: int
    training: TrainingSummary | None
    accuracy: tuple[str, ...]
    cost: dict[str, Any] | None
    anchoring: Anchoring | None
    bulk: Share | None
    changed_source: str | None
    source_gone: bool
    disputed: int
    one_sided: tuple[OneSided, ...]
    damaged: tuple[str, ...]
    outdated: tuple[str, ...]
    finished: bool
    next_step: str


def status(workspace: Workspace) -> Status:
    """Read the state of the workspace; writes nothing, so it works while others write."""
    return status_and_step(LoopState.read(workspace))[0]


def status_and_step(state: LoopState) -> tuple[Status, NextStep]:
    """Say where a workspace stands, and the command that comes next."""
    files, labels, rows = state.files, state.item_labels, state.standing_decisions
    labelled, notes = state.labelled, count_notes(rows)
    pool, training = files.pool.summary, state.training
    look = read_outdated(state)
    step = next_step(state, look)
    told = None if training is None else told_in_full(state, training)
    seconds = total_seconds([row for row in rows if row.kind != "machine"])
    cost = measured_cost(state)
    source = None if source_is_as_read(files) else source_path(files)
    return Status(
        items=pool.items,
        empty_texts=pool.empty_texts,
        exact_duplicates=pool.exact_duplicates,
        human_labels=len(labelled),
        machine_labels=sum(each.machine and each.value is not None for each in labels),
        audit_labels=sum(each.audit for each in labelled),
        skipped=notes.skipped,
        flagged=notes.flagged,
        commented=notes.commented,
        duplicates=_summarise(files, labels),
        review_seconds=seconds,
        review_minutes=round((seconds or 0) / 60, 2),
        label_counts=dict(count_labels(each.value or () for each in labelled).most_common()),
        batch=state.last_batch,
        open_items=state.open_items,
        without_text=_count_without_text(state),
        cycle=0 if training is None else training.cycle,
        training=told,
        accuracy=() if told is None else tuple(accuracy_lines(told)),
        cost=None if cost is None else cost.to_dict(),
        anchoring=anchoring(rows, state.batch_items),
        bulk=bulk_accuracy(rows),
        changed_source=source,
        source_gone=source is not None and not Path(source).exists(),
        disputed=len(disputed(said_of_texts(state))),
        one_sided=find_one_sided(files, labels),
        damaged=say_damaged(files, training),
        outdated=say_outdated(look),
        finished=step.finished,
        next_step=str(step),
    ), step


def _summarise(files: WorkspaceFiles, labels: Sequence[ItemLabel]) -> DuplicatesSummary | None:
    """Count groups and inherited labels, where it can be read which groups there are."""
    if files.config.duplicates.near and files.near_duplicates.find_fault() is not None:
        return None
    return summarise(files, labels)


def _count_without_text(state: LoopState) -> int:
    """Count the items of the last batch that have no text."""
    asked = [row.item_index for row in state.items_of(state.last_batch)]
    return int(np.isin(asked, state.files.pool.empty).sum())
