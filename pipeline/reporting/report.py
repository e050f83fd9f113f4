"""What a workspace has come to, as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from hilt.figures import counted, headed, points
from hilt.outputs import output_file
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.duplicates.summary import describe
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.outdated import read_outdated, say_outdated
from hilt.pipeline.reporting import charts
from hilt.pipeline.reporting.charts import Chart, Point
from hilt.pipeline.reporting.mistakes import wrong_predictions
from hilt.pipeline.reporting.pages import page_environment, percent, spaced
from hilt.pipeline.reporting.pool_map import pool_map
from hilt.pipeline.reporting.report_tables import (
    accepted,
    batch_lines,
    confusion_lines,
    label_lines,
    most_confused,
    proposer_columns,
    proposer_rows,
    reviewer_lines,
)
from hilt.pipeline.reviewing.anchoring import anchoring, bulk_accuracy
from hilt.pipeline.reviewing.disagreements import gold_accuracy, said_of_texts
from hilt.pipeline.selecting.item_seconds import measured_cost
from hilt.pipeline.selecting.review_cost import cost_sentence
from hilt.pipeline.training.headline import (
    ACCURACY,
    ON_POOL,
    accuracies,
    checked_items,
    is_enough,
    on_labelled,
    rests_on,
    told_in_full,
)
from hilt.pipeline.training.selection_gain import advantage_sentence
from hilt.pipeline.workspace.decisions import list_decisions, total_seconds
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace

MAX_BATCH_LINES = 200
MAX_NOTES = 200
SHOWN_GROUPS = 5
MANY_LABELS = 20  # more do not fit into a table with numbers
PLACES = {"test": "on the test set", "audit": ON_POOL}  # by the kind of item that measures


def report(workspace: Workspace, output: Path | str | None = None, *, force: bool = False) -> Path:
    """Write one self-contained HTML page about a workspace, at any stage.

    Args:
        workspace: The workspace; it is only read.
        output: The page, `report.html` in the workspace's folder by default.
        force: Move an existing file to NAME.bak-1.

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
        temporary.write_text(
            render_report(LoopState.read(workspace), datetime.now(UTC)), encoding="utf-8"
        )
    return path


def render_report(state: LoopState, now: datetime) -> str:
    """Make the page; for the same state and time it is the same page."""
    return page_environment().get_template("report.html").render(**_contents(state, now))


def _contents(state: LoopState, now: datetime) -> dict[str, Any]:
    """Gather everything that the template shows."""
    look = read_outdated(state)
    usable = state.files.is_proposed and not look[0]
    return {
        "name": state.files.folder.resolve().name,
        "now": now,
        "outdated": say_outdated(look),
        "version": version("hilt"),
        "seed": state.files.config.seed,
        "configuration": _configuration(state.files.config),
        "box": charts,
        **_of_trainings(state),
        **_of_pool(state, usable),
        **_of_batch(state),
        **_of_people(state),
    }


def _of_trainings(state: LoopState) -> dict[str, Any]:
    """Gather what was measured of students and proposers."""
    trainings, training = state.trainings, state.training
    latest = None if training is None else training.summary
    told = None if training is None else told_in_full(state, training)
    return {
        "verdict": _verdict(state, told),
        "since": len(state.labelled) - latest.human_labels if latest else 0,
        "trainings": trainings,
        "latest": latest,
        "rests_on": rests_on(told) if told else "",
        "places": PLACES,
        "shares": _shares,
        "on_rest": _on_rest,
        "advantage": advantage_sentence(latest) if latest else "",
        "curves": _curves(trainings),
        "is_enough": is_enough,
        "checked": checked_items(latest) if latest else 0,
        "mistakes": wrong_predictions(state.files, training, state.item_labels),
        "score": state.files.task.score,
        "proposer_columns": proposer_columns(state.files.task.score),
        "proposers": proposer_rows(latest) if latest else [],
        "measured": _measured(latest, state.files.config.label_names),
    }


def _of_pool(state: LoopState, usable: bool) -> dict[str, Any]:
    """Gather what is told of items and labels.

    Args:
        state: As it is.
        usable: Whether there is a proposal for every item, of the present configuration.
    """
    files, labels = state.files, state.item_labels
    lines = label_lines(files, labels, usable=usable)
    return {
        "summary": files.pool.summary,
        "human_labels": len(state.labelled),
        "machine_labels": sum(line.machine for line in lines),
        "audit_labels": sum(each.audit for each in state.labelled),
        "duplicates": describe(files, labels, SHOWN_GROUPS),
        "labels": lines,
        "unlabelled": [line.name for line in lines if not line.human],
        "fused_by": _fused_by(files) if usable else None,
        "pool_map": pool_map(files, labels, state.items_of(state.last_batch)) if usable else None,
    }


def _of_batch(state: LoopState) -> dict[str, Any]:
    """Gather what is told of the last batch."""
    return {
        "batch_number": state.last_batch or None,
        "batch_size": len(state.items_of(state.last_batch)),
        "batch": batch_lines(state, MAX_BATCH_LINES),
    }


def _of_people(state: LoopState) -> dict[str, Any]:
    """Gather what people and machines decided."""
    decisions = state.standing_decisions
    by_people = [row for row in decisions if row.kind != "machine"]
    cost = measured_cost(state)
    return {
        "seconds": total_seconds(by_people),
        "simulated": sum(row.kind == "simulated" for row in by_people),
        "n_decisions": len(by_people),
        "notes": list_decisions(
            state.files.pool,
            decisions,
            state.files.task.answers,
            flagged=True,
            skipped=True,
            commented=True,
        ),
        "most_notes": MAX_NOTES,
        "reviewers": reviewer_lines(by_people),
        "machines": reviewer_lines([row for row in decisions if row.kind == "machine"]),
        "accepted": accepted(by_people),
        "anchoring": anchoring(decisions, state.batch_items),
        "bulk": bulk_accuracy(decisions),
        "gold": gold_accuracy(said_of_texts(state)),
        "cost": "" if cost is None else cost_sentence(cost.to_dict()),
    }


def _verdict(state: LoopState, told: TrainingSummary | None) -> str:
    """Say in a sentence how far the workspace is.

    Args:
        state: As it is.
        told: What the newest training came to, in full.
    """
    if told:
        return _student_verdict(told)
    items, labelled = len(state.files.pool), len(state.labelled)
    if labelled:
        return f"People have labelled {counted(labelled, 'item')}; no student is trained yet."
    if state.batches:
        size = len(state.items_of(state.last_batch))
        return f"A batch of {counted(size, 'item')} is waiting for review; there are no labels yet."
    if state.files.is_proposed:
        proposed = counted(items, "item has", "items have")
        return f"{proposed} a proposal; no batch is selected yet."
    return f"The workspace is ready: {counted(items, 'item')}, no proposals yet."


def _student_verdict(summary: TrainingSummary) -> str:
    """Say how good the student is: on the test set, and in the pool where that can be told."""
    after = f"After {counted(summary.human_labels, 'label')}"
    found, told = accuracies(summary), []
    if not found and not summary.test:
        return _early_verdict(after, summary)
    if summary.test:
        items = counted(summary.test["student"]["items"], "test item")
        student, alone = (summary.test[who] for who in ("student", "proposer"))
        told.append(
            f"{after} the student is right on {_share(student)} of {items}; the"
            f" proposer alone on {percent(alone['accuracy'])}."
            if summary.score == ACCURACY
            else f"{after} the student's {summary.score} is {_share(student)} on {items}; that of"
            f" the proposer alone {percent(alone['accuracy'])}."
        )
    if found:
        whose = "The student's" if told else f"{after} the student's"
        shares = ", and ".join(f"{_share(each['student'])} {at}" for at, each in found.items())
        others = " and ".join(percent(each["proposer"]["accuracy"]) for each in found.values())
        told.append(f"{whose} {summary.score} is {shares}; that of the proposer alone {others}.")
        told.append(rests_on(summary))
    return " ".join(told)


def _share(measure: Mapping[str, Any]) -> str:
    interval = f"{points(measure['low'])}\u2013{points(measure['high'])}"
    return f"{percent(measure['accuracy'])} (95\u00a0% interval {interval})"


def _early_verdict(after: str, summary: TrainingSummary) -> str:
    """Say that nothing is known yet, and what is instead."""
    checked = f"{checked_items(summary):,} checked"
    early = f"{after} it is too early to say how often the student is right: {checked}."
    if not summary.labelled:
        return early
    return spaced(f"{early} {headed(summary.score)} {on_labelled(summary)}.")


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


def _measured(latest: TrainingSummary | None, names: Sequence[str]) -> dict[str, Any] | None:
    """Gather calibration and confusions of the newest student, on the test set if there is one.

    Args:
        latest: What the newest training measured.
        names: Of the labels.
    """
    kind = "test" if latest and latest.test else "audit"
    if not latest or not is_enough(kind, getattr(latest, kind)):
        return None
    student = getattr(latest, kind)["student"]
    lines = confusion_lines(student, names)
    many = len(lines) > MANY_LABELS
    return {
        "on": counted(student["items"], f"{kind} item"),
        "student": student,
        "reliability": charts.reliability_diagram(student["reliability"]),
        "confusion": lines,
        "many": many,
        "most_confused": most_confused(lines, 20 if many else 6),
    }


def _fused_by(files: WorkspaceFiles) -> str | None:
    """Say who stands behind the fused proposal; None before there is one."""
    maker = files.fused.maker()
    if maker is None:
        return None
    student, weights = maker["student"], maker["weights"]
    others = len(weights) - (student is not None)
    proposers = "the proposer" if others == 1 else f"{others} proposers"
    if student is None:
        return f"{proposers} alone"
    cycle, _fingerprint = student
    return f"{proposers} and the student of cycle {cycle}"


def _configuration(config: Config) -> str:
    hidden = {"database"}  # it may hold a password, and a report is passed on
    values = config.model_dump(mode="json", exclude_unset=True, exclude=hidden)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
