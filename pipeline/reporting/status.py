"""Where a workspace stands, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.pipeline.duplicates.summary import DuplicatesSummary, summarise
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.damage import say_damaged
from hilt.pipeline.proposing.one_sided import OneSided, find_one_sided
from hilt.pipeline.proposing.outdated import say_outdated
from hilt.pipeline.reviewing.anchoring import Anchoring, anchoring, bulk_accuracy
from hilt.pipeline.reviewing.disagreements import disputes
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.selecting.item_seconds import measured_cost
from hilt.pipeline.training.headline import accuracy_lines, told_in_full
from hilt.pipeline.workspace.decisions import count_notes, total_seconds
from hilt.pipeline.workspace.growing import source_is_as_read, source_path
from hilt.pipeline.workspace.labels import ItemLabel, not_withdrawn
from hilt.pipeline.workspace.open_batches import open_batch, undecided
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.screen.protocol import Share


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
    """Read where the workspace stands; writes nothing, so it works while others write."""
    store = workspace.database
    outcomes = workspace.item_labels()
    labelled = [outcome for outcome in outcomes if outcome.by_people]
    numbers = store.batch_numbers()
    current = open_batch(workspace)
    open_items = 0 if current is None else len(undecided(workspace, current))
    training = latest_training(workspace)
    told = None if training is None else told_in_full(LoopState.read(workspace), training)
    summary = workspace.pool.summary
    decisions = store.decisions()
    rows = not_withdrawn(decisions)
    seconds = total_seconds([row for row in rows if row.kind != "machine"])
    cost, notes = measured_cost(LoopState.read(workspace)), count_notes(rows)
    step = next_step(workspace)
    source = None if source_is_as_read(workspace) else source_path(workspace)
    return Status(
        items=summary.items,
        empty_texts=summary.empty_texts,
        exact_duplicates=summary.exact_duplicates,
        human_labels=len(labelled),
        machine_labels=sum(o.machine and o.label is not None for o in outcomes),
        audit_labels=sum(outcome.audit for outcome in labelled),
        skipped=notes.skipped,
        flagged=notes.flagged,
        commented=notes.commented,
        duplicates=_summarise(workspace, outcomes),
        review_seconds=seconds,
        review_minutes=round((seconds or 0) / 60, 2),
        label_counts=dict(Counter(str(outcome.label) for outcome in labelled).most_common()),
        batch=numbers[-1] if numbers else 0,
        open_items=open_items,
        without_text=_count_without_text(workspace, numbers),
        cycle=0 if training is None else training.cycle,
        training=told,
        accuracy=() if told is None else tuple(accuracy_lines(told)),
        cost=None if cost is None else cost.to_dict(),
        anchoring=anchoring(rows, store.batch_items()),
        bulk=bulk_accuracy(rows),
        changed_source=source,
        source_gone=source is not None and not Path(source).exists(),
        disputed=len(disputes(workspace)),
        one_sided=find_one_sided(workspace, outcomes),
        damaged=say_damaged(workspace, training),
        outdated=say_outdated(LoopState.read(workspace)),
        finished=step.finished,
        next_step=str(step),
    )


def _summarise(workspace: Workspace, outcomes: Sequence[ItemLabel]) -> DuplicatesSummary | None:
    """Count groups and inherited labels, where it can be read which groups there are."""
    if workspace.config.duplicates.near and workspace.near_duplicates.find_fault() is not None:
        return None
    return summarise(workspace, outcomes)


def _count_without_text(workspace: Workspace, numbers: Sequence[int]) -> int:
    """Count the items of the last batch that have no text."""
    rows = workspace.database.batch_items(numbers[-1]) if numbers else []
    return int(np.isin([row.item_index for row in rows], workspace.pool.empty).sum())
