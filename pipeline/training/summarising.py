"""What a training came to: how good the student, the proposers and all of them fused are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from hilt.distributions import pool_logarithmically
from hilt.metrics import measure
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.measuring.two_accuracies import accuracy_on_the_pool, accuracy_on_the_rest
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.training.cross_validation import Training
from hilt.pipeline.training.training_data import TrainingData
from hilt.pipeline.workspace.batch_items import any_picked
from hilt.types import Floats, Integers


def summarise_training(
    state: LoopState, panel: Panel, training: Training, data: TrainingData, indices: Integers
) -> dict[str, Any]:
    """Count what the student learnt from, and measure it without the test set.

    Args:
        state: Has the decisions, and the order of the audit.
        panel: What the proposers say.
        training: Predicted the labelled items.
        data: Has their labels.
        indices: Shape (n,), which items of the pool they are.
    """
    people = [row for row in state.standing_decisions if row.kind != "machine"]
    times = state.audit_order.count_audited(state.item_labels, indices[data.audit].tolist())
    return {
        "human_labels": len(panel.labelled),
        "decisions": len(people),
        "review_seconds": round(sum(row.seconds or 0.0 for row in people), 2),
        "audit_labels": len(data.audit),
        "label_counts": dict(Counter(str(each.label) for each in panel.labelled)),
        "kind": training.student.kind,
        "self_training": training.self_training,
        "fusion": dict(zip(("student", *panel.names), training.fusion.tolist(), strict=True)),
        "proposers": _measure_proposers(panel, training, data, times),
        "scores": training.scores,
        "audit": _measure_audit(training, data, times),
        "audited_items": state.audit_order.audited_items(state.item_labels),
        **_two_accuracies(state, training, data, indices, times),
        "labelled": {
            **measure(training.out_of_fold, data.positions).share(),
            "picked": any_picked(state.batches, state.batch_items, indices),
        },
    }


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
        training.audit[rows],
        training.audit_fused[rows],
        data.proposals[:, audit],
        data.trust,
        data.positions[audit],
    )


def _two_accuracies(
    state: LoopState,
    training: Training,
    data: TrainingData,
    indices: Integers,
    times: Integers,
) -> dict[str, Any]:
    """Estimate how good the student and the proposals are on the pool, and on what is left of it.

    Args:
        state: Has the order of the audit.
        training: Predicted the labelled items.
        data: Has their labels.
        indices: Shape (n,), which items of the pool they are.
        times: Shape (n_audit,), for how many items each audit answer stands.
    """
    names = ("on_pool", "on_rest")
    if not len(times):
        return dict.fromkeys(names)
    audit, order = data.audit, state.audit_order
    audited = order.audited_items(state.item_labels)
    others = np.setdiff1d(np.flatnonzero(indices < audited), audit)
    drawn = order.stand_before(indices[others], indices[audit])
    proposals = data.proposals
    proposed = pool_logarithmically([*proposals], data.trust.exponents)
    fused = pool_logarithmically([training.out_of_fold, *proposals], training.fusion)
    items = audited - int((state.files.pool.empty < audited).sum())
    on_pool, on_rest = {}, {}
    for who, of_audit, of_others in (
        ("student", training.audit, training.out_of_fold),
        ("proposer", proposed[audit], proposed),
        ("fused", training.audit_fused, fused),
    ):
        right = of_audit.argmax(axis=1) == data.positions[audit]
        also = of_others[others].argmax(axis=1) == data.positions[others]
        sample = np.append(np.repeat(right, times), also[drawn])
        on_pool[who] = accuracy_on_the_pool(sample).to_dict()
        rest = accuracy_on_the_rest(sample, also[~drawn], items)
        on_rest[who] = None if rest is None else rest.to_dict()
    return dict(zip(names, (on_pool, on_rest), strict=True))


def measure_test(
    panel: Panel, training: Training, student: Floats, positions: Integers
) -> dict[str, Any]:
    """Measure on the test set.

    Args:
        panel: What the proposers say.
        training: Has the weights of all.
        student: Shape (n_test, n_labels), what the student says of it.
        positions: Shape (n_test,), the true labels.
    """
    proposed = panel.test_rows()
    fused = pool_logarithmically([student, *proposed], training.fusion)
    return _measure_all(student, fused, proposed, panel.trust, positions)


def _measure_all(
    student: Floats, fused: Floats, proposals: Floats, trust: Trust, positions: Integers
) -> dict[str, Any]:
    """Measure the student, the proposers as they were fused before labels, and all fused."""
    together = pool_logarithmically([*proposals], trust.exponents)
    return {
        "student": measure(student, positions).to_dict(),
        "proposer": measure(together, positions).to_dict(),
        "fused": measure(fused, positions).to_dict(),
    }


def _measure_proposers(
    panel: Panel, training: Training, data: TrainingData, times: Integers
) -> dict[str, dict[str, Any]]:
    """Measure each proposer, the student among them, on the audit labels that it answered."""
    rows = np.repeat(np.arange(len(times)), times)
    audit = data.audit[rows]
    proposed = [training.audit[rows], *data.proposals[:, audit], training.audit_fused[rows]]
    names = ["student", *panel.names, "fused"]
    coverage = [1.0, *map(panel.coverage, panel.members), 1.0]
    weights = [*training.fusion.tolist(), None]
    return {
        name: {
            **_measured(each, data.positions[audit]),
            "coverage": share,
            "weight": weight,
        }
        for name, each, share, weight in zip(names, proposed, coverage, weights, strict=True)
    }


def _measured(probabilities: Floats, positions: Integers) -> dict[str, Any]:
    """Measure the rows that are not abstentions."""
    answered = ~np.isnan(probabilities[:, 0])
    found = measure(probabilities[answered], positions[answered]) if answered.any() else None
    keys = ("accuracy", "low", "high", "calibration_error", "calibration_limit")
    return {"labels": int(answered.sum()), **{key: getattr(found, key, None) for key in keys}}
