"""The accuracies that people are told, by the names that they have everywhere, and from when on.

Where an answer can be partly right, the task has another name for them (`Task.score`).

There are two. On items like the pool: how good the student is on new texts of the same kind. On
what is left of the pool: how good it is on the items without a label, which are easier where a
selector has taken the hard ones.

With few audit items an accuracy is hardly more than chance: of 11 items that a student of 80 % is
asked, it gets 6 to 11 right. So below `MIN_AUDIT` nothing is claimed, wherever it would stand, and
the accuracy on labelled items is given in its place, named as what it is: harder than the pool
where doubt or distance picked some of them, and not where all were drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from hilt.figures import counted, decimals, headed, percent, with_interval
from hilt.metrics import calibration_of, measure
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.measuring.left_out import find_left_out
from hilt.pipeline.students.saved import load_out_of_fold, why_not_out_of_fold
from hilt.pipeline.workspace.batch_items import any_picked
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.training_summary import TrainingSummary

ACCURACY = "accuracy"  # what they are called where an answer is right or wrong
MIN_AUDIT = 30  # audit labels from which on an accuracy is told
HARDER = ", which are harder than the pool"
ON_POOL = "on items like the pool"
ON_REST = "on what is left of the pool"
ON_AUDIT = "on audit items"  # all that an older hilt measured


def is_enough(kind: str, measured: Mapping[str, Any] | None) -> bool:
    """Tell whether an accuracy may be told.

    Args:
        kind: What it was measured on: `test` or `audit`.
        measured: What a training found there, by who was measured; None where nothing was.
    """
    return measured is not None and (kind == "test" or measured["student"]["items"] >= MIN_AUDIT)


def too_early(checked: int) -> str:
    """Say why no accuracy is told.

    >>> too_early(11)
    'too early to say: 11 checked'
    """
    return f"too early to say: {checked:,} checked"


def checked_items(summary: TrainingSummary) -> int:
    """Count the audit items that measured a training's student."""
    audit = summary.audit
    return 0 if audit is None else int(audit["student"]["items"])


def told_in_full(state: LoopState, training: TrainingRow) -> TrainingSummary:
    """Give a training's summary, and for what of the pool as it is now its audit stands.

    That of an older hilt gets the accuracy on labelled items added, unless what it is computed from
    is damaged.
    """
    pool, summary = state.files.pool.summary, training.summary
    if summary.audited_items is None:
        then = pool.earlier[0].items if pool.earlier else pool.items
        summary = replace(summary, audited_items=then)
    left_out = find_left_out(state, training.last_decision)
    summary = replace(
        summary,
        pool_items=pool.items,
        left_out=asdict(left_out),
        score=state.files.task.score,
    )
    if "picked" in (summary.labelled or {}):
        return summary
    folder = state.files.student_folder(training.cycle)
    saved = None if why_not_out_of_fold(folder) else load_out_of_fold(folder)
    if saved is None:
        return summary
    task, contents = state.files.task, state.files.pool.contents(saved.indices)
    true = [task.rows.decode(saved.targets.of(p), each) for p, each in enumerate(contents)]
    found = measure(task, saved.said, true, contents).share()
    picked = any_picked(state.batches, state.batch_items, saved.indices)
    return replace(summary, labelled={**found, "picked": picked})


def accuracy_lines(summary: TrainingSummary) -> list[str]:
    """Say how good a training's student is, a line for each way of measuring.

    Args:
        summary: Of the training, from `told_in_full`.
    """
    lines, score = [], headed(summary.score)
    if summary.test:
        items = counted(summary.test["student"]["items"], "test item")
        lines.append(f"{score} on {items}: {_of_all(summary.test)}.")
    found = accuracies(summary)
    lines += [f"{score} {where}: {_of_all(measured)}." for where, measured in found.items()]
    if found:
        return [*lines, rests_on(summary)]
    early = too_early(checked_items(summary))
    lines.append(f"{score} {ON_POOL}, and {ON_REST}: {early}.")
    if summary.labelled:
        lines.append(f"{score} {on_labelled(summary)}.")
    return lines


def accuracies(summary: TrainingSummary) -> dict[str, Mapping[str, Any]]:
    """List the accuracies in the pool that may be told, by their names.

    Args:
        summary: Of a training; one of an older hilt has a single accuracy, on the audit items.

    Returns:
        None at all while there are few audit labels. Each holds what was found of the `student`, of
        the `proposer` (all proposers as they were fused before there were labels) and of all
        `fused`.
    """
    if not is_enough("audit", summary.audit):
        return {}
    if not summary.on_pool:
        return {} if summary.audit is None else {ON_AUDIT: summary.audit}
    rest = summary.on_rest  # without anybody's where nothing is left
    return {ON_POOL: summary.on_pool} | ({ON_REST: rest} if rest and rest["student"] else {})


def rests_on(summary: TrainingSummary) -> str:
    """Say what the accuracies in the pool rest on, and which items they do not stand for.

    Args:
        summary: Of the training, from `told_in_full`.
    """
    audited = checked_items(summary)
    drawn = summary.on_pool["student"]["items"] if summary.on_pool else audited
    left_out = summary.left_out or {}
    outside, without = (left_out.get(key, 0) for key in ("outside_batches", "without_label"))
    before = f", of which {drawn - audited:,} had a label already" if drawn > audited else ""
    sentences = [f"This rests on {counted(drawn, 'item')} drawn at random{before}."]
    if outside and not summary.on_pool:
        which = counted(outside, "item that was", "items that were")
        sentences.append(f"The {which} labelled outside batches could not be audited.")
    if without:
        sentences.append(
            f"The {summary.score} is of items that people could label: they skipped or flagged"
            f" {counted(without, 'audit item')}."
        )
    return " ".join([*sentences, *_pool_before(summary)])


def _of_all(found: Mapping[str, Any]) -> str:
    """Write what was found of the student, of the proposers and of all fused."""
    return (
        f"student {with_interval(found['student'])},"
        f" proposer alone {percent(found['proposer']['accuracy'])},"
        f" fused {with_interval(found['fused'])}"
    )


def _pool_before(summary: TrainingSummary) -> list[str]:
    """Say that an audit stands for the pool before items were appended, where it does."""
    audited, items = summary.audited_items, summary.pool_items
    if audited is None or items is None or audited == items:
        return []
    appended = counted(items - audited, "item that was", "items that were")
    return [
        f"This is of the pool before: of the {appended} appended to its {audited:,}, too few have"
        " been audited."
    ]


def calibration(measured: Mapping[str, Any]) -> str:
    """Write a calibration error, and up to where it may be chance.

    >>> calibration({"calibration_error": 0.031, "calibration_limit": 0.045})
    '0.031 (to 0.045)'
    >>> calibration({"calibration_error": 0.12})  # of an older hilt
    '0.120 (chance included)'
    """
    error, by_chance = calibration_parts(measured)
    return f"{error} ({by_chance})"


def calibration_parts(measured: Mapping[str, Any]) -> tuple[str, str]:
    """Write a calibration error, and up to where it may be chance, apart."""
    error, limit = calibration_of(measured)
    by_chance = "chance included" if limit is None else f"to {decimals(limit, 3)}"
    return decimals(error, 3), by_chance


def on_labelled(summary: TrainingSummary) -> str:
    """Say how good a student is on the items that people labelled, by cross-validation."""
    labelled = summary.labelled
    assert labelled is not None
    which = HARDER if labelled.get("picked") else ""
    accuracy = with_interval(labelled)
    return f"on labelled items{which}: {accuracy} of {labelled['items']:,}, cross-validated"
