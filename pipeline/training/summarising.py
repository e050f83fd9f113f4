"""What a training came to: how good the student, the proposers and all of them fused are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hilt.metrics import Measure, measure, scores
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.measuring.two_accuracies import accuracy_on_the_pool, accuracy_on_the_rest
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.training.cross_validation import Training
from hilt.pipeline.training.selection_gain import SelectionGain
from hilt.pipeline.training.training_data import TrainingData
from hilt.pipeline.workspace.batch_items import any_picked
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Content, Floats, Integers, Value
from hilt.values import count_labels


@dataclass(frozen=True, slots=True)
class Tested:
    """What a student says of the test set.

    Attributes:
        said: Of each item.
        true: The true labels.
        contents: The items.
    """

    said: Rows
    true: Sequence[Value]
    contents: Sequence[Content]


def summarise_training(
    state: LoopState,
    panel: Panel,
    training: Training,
    data: TrainingData,
    indices: Integers,
    *,
    tested: Tested | None,
    advantage: SelectionGain | None,
    started: float,
) -> TrainingSummary:
    """Count what the student learnt from, and measure it.

    Args:
        state: Has the decisions, and the order of the audit.
        panel: What the proposers say.
        training: Predicted the labelled items.
        data: Has their labels.
        indices: Shape (n,), which items of the pool they are.
        tested: What the student says of the test set, if there is one.
        advantage: What choosing gains, where that is known.
        started: When the training began, of the monotonic clock.
    """
    people = [row for row in state.standing_decisions if row.kind != "machine"]
    times = state.audit_order.count_audited(state.audited_items, indices[data.audit].tolist())
    on_pool, on_rest = _two_accuracies(state, training, data, indices, times)
    everything = np.arange(len(data))
    return TrainingSummary(
        human_labels=len(panel.labelled),
        decisions=len(people),
        review_seconds=round(sum(row.seconds or 0.0 for row in people), 2),
        audit_labels=len(data.audit),
        label_counts=dict(count_labels(each.value or () for each in panel.labelled)),
        kind=training.student.kind,
        self_training=training.self_training,
        fusion=dict(zip(("student", *panel.names), training.fusion.tolist(), strict=True)),
        proposers=_measure_proposers(panel, training, data, times),
        scores=training.scores,
        audit=_measure_audit(training, data, times),
        audited_items=state.audited_items,
        on_pool=on_pool,
        on_rest=on_rest,
        labelled={
            **_of(data, everything).measure(training.out_of_fold).share(),
            "picked": any_picked(state.batches, state.batch_items, indices),
        },
        test=None if tested is None else _measure_test(panel, training, tested),
        advantage=None if advantage is None else asdict(advantage),
        seconds=round(time.monotonic() - started, 2),
    )


def _measure_audit(
    training: Training, data: TrainingData, times: Integers
) -> dict[str, Any] | None:
    """Measure on the audit items, each by students that did not learn its label.

    Args:
        training: Predicted them.
        data: Has their labels.
        times: Shape (n_audit,), how many items each answer stands for.
    """
    if not len(times):
        return None
    rows = np.repeat(np.arange(len(times)), times)
    audit = data.audit[rows]
    return _measure_all(
        _of(data, audit),
        training.audit.take(rows),
        training.audit_fused.take(rows),
        [each.take(audit) for each in data.proposals],
        data.trust,
    )


def _two_accuracies(
    state: LoopState,
    training: Training,
    data: TrainingData,
    indices: Integers,
    times: Integers,
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Estimate how good the student and the proposals are on the pool, and on what is left of it.

    Args:
        state: Has the order of the audit.
        training: Predicted the labelled items.
        data: Has their labels.
        indices: Shape (n,), which items of the pool they are.
        times: Shape (n_audit,), for how many items each audit answer stands.
    """
    if not len(times):
        return None, None
    audit, audited = data.audit, state.audited_items
    others = np.setdiff1d(np.flatnonzero(indices < audited), audit)
    drawn = state.audit_order.stand_before(indices[others], indices[audit])
    math, proposals = data.task.rows, data.proposals
    proposed = math.pool(proposals, data.trust.exponents)
    fused = math.pool([training.out_of_fold, *proposals], training.fusion)
    items = audited - int((state.files.pool.empty < audited).sum())
    on_pool: dict[str, Any] = {}
    on_rest: dict[str, Any] = {}
    for who, of_audit, of_others in (
        ("student", training.audit, training.out_of_fold),
        ("proposer", proposed.take(audit), proposed),
        ("fused", training.audit_fused, fused),
    ):
        right = _of(data, audit).scores(of_audit)
        also = _of(data, others).scores(of_others.take(others))
        sample = np.append(np.repeat(right, times), also[drawn])
        on_pool[who] = accuracy_on_the_pool(sample).to_dict()
        rest = accuracy_on_the_rest(sample, also[~drawn], items)
        on_rest[who] = None if rest is None else rest.to_dict()
    return on_pool, on_rest


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is true of some items.

    Attributes:
        task: What answers are.
        values: The true answers.
        contents: The items.
    """

    task: Task
    values: Sequence[Value]
    contents: Sequence[Content]

    def measure(self, said: Rows) -> Measure:
        """Measure what is said of them."""
        return measure(self.task, said, self.values, self.contents)

    def scores(self, said: Rows) -> Floats:
        """Say how right that is, of each."""
        return scores(self.task, said, self.values, self.contents)


def _of(data: TrainingData, places: Integers) -> _Truth:
    """Say what is true of the labelled items at some places."""
    values, contents = ([each[p] for p in places] for each in (data.values, data.labelled.contents))
    return _Truth(data.task, values, contents)


def _measure_test(panel: Panel, training: Training, tested: Tested) -> dict[str, Any]:
    """Measure on the test set."""
    task, proposed = panel.files.task, panel.test_rows()
    fused = task.rows.pool([tested.said, *proposed], training.fusion)
    truth = _Truth(task, tested.true, tested.contents)
    return _measure_all(truth, tested.said, fused, proposed, panel.trust)


def _measure_all(
    truth: _Truth, student: Rows, fused: Rows, proposals: Sequence[Rows], trust: Trust
) -> dict[str, Any]:
    """Measure the student, the proposers as they were fused before labels, and all fused."""
    together = truth.task.rows.pool(proposals, trust.exponents)
    return {
        "student": truth.measure(student).to_dict(),
        "proposer": truth.measure(together).to_dict(),
        "fused": truth.measure(fused).to_dict(),
    }


def _measure_proposers(
    panel: Panel, training: Training, data: TrainingData, times: Integers
) -> dict[str, dict[str, Any]]:
    """Measure each proposer, the student among them, on the audit labels that it answered."""
    rows = np.repeat(np.arange(len(times)), times)
    audit = data.audit[rows]
    proposed = [
        training.audit.take(rows),
        *(each.take(audit) for each in data.proposals),
        training.audit_fused.take(rows),
    ]
    names = ["student", *panel.names, "fused"]
    coverage = [1.0, *map(panel.coverage, panel.members), 1.0]
    weights = [*training.fusion.tolist(), None]
    return {
        name: {**_measured(each, data, audit), "coverage": share, "weight": weight}
        for name, each, share, weight in zip(names, proposed, coverage, weights, strict=True)
    }


def _measured(said: Rows, data: TrainingData, places: Integers) -> dict[str, Any]:
    """Measure what is said of the labelled items at some places, where it is no abstention."""
    answered = np.flatnonzero(said.answered)
    truth = _of(data, places[answered])
    found = truth.measure(said.take(answered)) if len(answered) else None
    keys = ("accuracy", "low", "high", "calibration_error", "calibration_limit")
    return {"labels": len(answered), **{key: getattr(found, key, None) for key in keys}}
