"""What a workspace has come to, as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from hilt.figures import counted, points
from hilt.outputs import output_file
from hilt.pipeline.duplicates.summary import describe
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.outdated import is_usable, say_outdated
from hilt.pipeline.reporting import charts
from hilt.pipeline.reporting.charts import Chart, Point
from hilt.pipeline.reporting.mistakes import wrong_predictions
from hilt.pipeline.reporting.pages import page_environment, percent, spaced
from hilt.pipeline.reporting.pool_map import pool_map
from hilt.pipeline.reporting.report_tables import (
    PROPOSER_COLUMNS,
    accepted,
    batch_lines,
    confusion_lines,
    label_lines,
    most_confused,
    proposer_rows,
    reviewer_lines,
)
from hilt.pipeline.reviewing.anchoring import anchoring, bulk_accuracy
from hilt.pipeline.reviewing.disagreements import gold_accuracy, said_of_texts
from hilt.pipeline.selecting.item_seconds import measured_cost
from hilt.pipeline.selecting.review_cost import cost_sentence
from hilt.pipeline.training.headline import (
    ON_POOL,
    accuracies,
    checked_items,
    is_enough,
    on_labelled,
    rests_on,
    told_in_full,
    too_early,
)
from hilt.pipeline.training.selection_gain import advantage_sentence
from hilt.pipeline.workspace.decisions import decisions as given_decisions
from hilt.pipeline.workspace.decisions import total_seconds
from hilt.pipeline.workspace.labels import ItemLabel, not_withdrawn
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace

MAX_BATCH_LINES = 200
MAX_NOTES = 200
SHOWN_GROUPS = 5
MANY_LABELS = 20  # more do not fit into a table with numbers
PLACES = {"test": "on the test set", "audit": ON_POOL}  # by the kind of item that measures


def report(workspace: Workspace, output: Path | str | None = None, *, force: bool = False) -> Path:
    """Write one self-contained HTML page about a workspace, whatever stage it is at.

    Args:
        workspace: What to report on; only read.
        output: The page, `report.html` in the workspace's folder by default.
        force: Move the file that stands there to NAME.bak-1.

    Returns:
        Where the page is.

    Raises:
        OutputError: If the place is taken, or cannot be written.
    """
    own = workspace.folder / "report.html"
    path = own if output is None else Path(output)
    older = path == own and not workspace.ledger.has(own)  # of a hilt that kept no ledger
    with output_file(
        path, force=force or older, ledger=workspace.ledger, own=own, note=workspace.progress.note
    ) as temporary:
        temporary.write_text(render_report(workspace, datetime.now(UTC)), encoding="utf-8")
    return path


def render_report(workspace: Workspace, now: datetime) -> str:
    """Make the page; for the same state and time it is the same page."""
    return page_environment().get_template("report.html").render(**_contents(workspace, now))


def _contents(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """Gather everything that the template shows."""
    state = LoopState.read(workspace)
    outcomes, decisions = workspace.item_labels(), not_withdrawn(workspace.database.decisions())
    by_people = [row for row in decisions if row.kind != "machine"]
    trainings, batches = workspace.database.trainings(), workspace.database.batch_numbers()
    labelled = [outcome for outcome in outcomes if outcome.by_people]
    labels = label_lines(workspace, outcomes)
    cost = measured_cost(state)
    return {
        "name": workspace.folder.resolve().name,
        "now": now,
        "verdict": _verdict(workspace, labelled, trainings, batches),
        "outdated": say_outdated(state),
        "since": len(labelled) - trainings[-1].summary.human_labels if trainings else 0,
        "summary": workspace.pool.summary,
        "human_labels": len(labelled),
        "machine_labels": sum(line.machine for line in labels),
        "duplicates": describe(workspace, outcomes, SHOWN_GROUPS),
        "audit_labels": sum(outcome.audit for outcome in labelled),
        "seconds": total_seconds(by_people),
        "simulated": sum(row.kind == "simulated" for row in by_people),
        "n_decisions": len(by_people),
        "trainings": trainings,
        "latest": trainings[-1].summary if trainings else None,
        "rests_on": rests_on(told_in_full(state, trainings[-1])) if trainings else "",
        "places": PLACES,
        "shares": _shares,
        "on_rest": _on_rest,
        "advantage": advantage_sentence(trainings[-1].summary) if trainings else "",
        "curves": _curves(trainings),
        "is_enough": is_enough,
        "too_early": too_early(checked_items(trainings[-1].summary)) if trainings else "",
        "mistakes": wrong_predictions(workspace, trainings[-1] if trainings else None, outcomes),
        "notes": given_decisions(workspace, flagged=True, skipped=True, commented=True),
        "most_notes": MAX_NOTES,
        "proposer_columns": PROPOSER_COLUMNS,
        "proposers": proposer_rows(trainings[-1].summary) if trainings else [],
        "labels": labels,
        "unlabelled": [line.name for line in labels if not line.human],
        "fused_by": _fused_by(workspace),
        "measured": _measured(workspace, trainings),
        "batch_number": batches[-1] if batches else None,
        "batch_size": len(workspace.database.batch_items(batches[-1])) if batches else 0,
        "batch": batch_lines(workspace, batches[-1], outcomes, MAX_BATCH_LINES) if batches else [],
        "reviewers": reviewer_lines(by_people),
        "machines": reviewer_lines([row for row in decisions if row.kind == "machine"]),
        "accepted": accepted(by_people),
        "anchoring": anchoring(decisions, workspace.database.batch_items()),
        "bulk": bulk_accuracy(decisions),
        "gold": gold_accuracy(said_of_texts(workspace)),
        "cost": "" if cost is None else cost_sentence(cost.to_dict()),
        "pool_map": pool_map(workspace, outcomes),
        "version": version("hilt"),
        "seed": workspace.config.seed,
        "configuration": _configuration(workspace),
        "box": charts,
    }


def _verdict(
    workspace: Workspace,
    labelled: Sequence[ItemLabel],
    trainings: Sequence[TrainingRow],
    batches: Sequence[int],
) -> str:
    """Say in a sentence how far the workspace is."""
    if trainings:
        return _student_verdict(told_in_full(LoopState.read(workspace), trainings[-1]))
    if labelled:
        return f"People have labelled {counted(len(labelled), 'item')}; no student is trained yet."
    if batches:
        size = len(workspace.database.batch_items(batches[-1]))
        return f"A batch of {counted(size, 'item')} is waiting for review; there are no labels yet."
    if workspace.is_proposed:
        items = counted(len(workspace.pool), "item has", "items have")
        return f"{items} a proposal; no batch is selected yet."
    return f"The workspace is ready: {counted(len(workspace.pool), 'item')}, no proposals yet."


def _student_verdict(summary: TrainingSummary) -> str:
    """Say how good the student is: on the test set, and in the pool where that can be told."""
    after = f"After {counted(summary.human_labels, 'label')}"
    found, told = accuracies(summary), []
    if not found and not summary.test:
        return _early_verdict(after, summary)
    if summary.test:
        items = counted(summary.test["student"]["items"], "test item")
        told.append(
            f"{after} the student is right on {_share(summary.test['student'])} of {items}; the"
            f" proposer alone on {percent(summary.test['proposer']['accuracy'])}."
        )
    if found:
        whose = "The student's accuracy" if told else f"{after} the student's accuracy"
        student = ", and ".join(f"{_share(each['student'])} {at}" for at, each in found.items())
        alone = " and ".join(percent(each["proposer"]["accuracy"]) for each in found.values())
        told.append(f"{whose} is {student}; that of the proposer alone {alone}.")
        told.append(rests_on(summary))
    return " ".join(told)


def _share(measure: Mapping[str, Any]) -> str:
    interval = f"{points(measure['low'])}\u2013{points(measure['high'])}"
    return f"{percent(measure['accuracy'])} (95\u00a0% interval {interval})"


def _early_verdict(after: str, summary: TrainingSummary) -> str:
    """Say that nothing is known yet, and what is instead."""
    early = f"{after}: how often the student is right is {too_early(checked_items(summary))}."
    if not summary.labelled:
        return early
    return spaced(f"{early} Accuracy {on_labelled(summary)}.")


def _curves(trainings: Sequence[TrainingRow]) -> dict[str, Chart]:
    """Lay out one learning curve for each way of measuring that there is."""
    summaries = [training.summary for training in trainings]
    return {
        kind: charts.learning_curve(
            {
                who: [
                    _point(each.human_labels, who, _shares(kind, each)[who])
                    for each in summaries
                    if is_enough(kind, getattr(each, kind))
                ]
                for who in ("proposer", "student")
            }
        )
        for kind in ("test", "audit")
        if any(is_enough(kind, getattr(each, kind)) for each in summaries)
    }


def _shares(kind: str, summary: TrainingSummary) -> Mapping[str, Any]:
    """Give the accuracies on the test set, or on items like the pool."""
    measured: Mapping[str, Any] = getattr(summary, kind)
    return (summary.on_pool or measured) if kind == "audit" else measured


def _on_rest(summary: TrainingSummary) -> Mapping[str, Any] | None:
    """Give the student's accuracy on what is left of the pool, where it was estimated."""
    rest = summary.on_rest
    return rest["student"] if rest else None


def _point(labels: int, who: str, measure: dict[str, Any]) -> Point:
    accuracy, low, high = measure["accuracy"], measure["low"], measure["high"]
    text = (
        f"{who}, {counted(labels, 'label')}: {percent(accuracy)}"
        f" ({points(low)}\u2013{points(high)}) of {counted(measure['items'], 'item')}"
    )
    return Point(labels, accuracy, low, high, text)


def _measured(workspace: Workspace, trainings: Sequence[TrainingRow]) -> dict[str, Any] | None:
    """Gather calibration and confusions of the newest student, on the test set if there is one."""
    kind = "test" if trainings and trainings[-1].summary.test else "audit"
    if not trainings or not is_enough(kind, getattr(trainings[-1].summary, kind)):
        return None
    student = getattr(trainings[-1].summary, kind)["student"]
    lines = confusion_lines(student, workspace.config.label_names)
    many = len(lines) > MANY_LABELS
    return {
        "on": counted(student["items"], f"{kind} item"),
        "student": student,
        "reliability": charts.reliability_diagram(student["reliability"]),
        "confusion": lines,
        "many": many,
        "most_confused": most_confused(lines, 20 if many else 6),
    }


def _fused_by(workspace: Workspace) -> str | None:
    """Say who stands behind the fused proposal; None before there is one."""
    maker = workspace.fused.maker()
    if maker is None or not is_usable(LoopState.read(workspace)):
        return None
    student, weights = maker["student"], maker["weights"]
    others = len(weights) - (student is not None)
    proposers = "the proposer" if others == 1 else f"{others} proposers"
    if student is None:
        return f"{proposers} alone"
    cycle, _fingerprint = student
    return f"{proposers} and the student of cycle {cycle}"


def _configuration(workspace: Workspace) -> str:
    hidden = {"database"}  # it may hold a password, and a report is passed on
    values = workspace.config.model_dump(mode="json", exclude_unset=True, exclude=hidden)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
