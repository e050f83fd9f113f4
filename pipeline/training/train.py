"""The student, trained on what people said, and what that came to."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hilt.command_line import command_line
from hilt.distributions import pool_logarithmically
from hilt.errors import WorkspaceError
from hilt.metrics import measure
from hilt.pipeline.measuring.two_accuracies import accuracy_on_the_pool, accuracy_on_the_rest
from hilt.pipeline.proposing.embedding import load_embedder
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.proposing.making import ask, renew
from hilt.pipeline.proposing.outdated import student_maker
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.students.base import take
from hilt.pipeline.students.saved import EMBEDDER_FILES, MADE_BY, save_student
from hilt.pipeline.training.cross_validation import Training, train_student
from hilt.pipeline.training.headline import told_in_full
from hilt.pipeline.training.measure_gain import measure_advantage
from hilt.pipeline.training.training_data import TrainingData
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.batch_items import any_picked
from hilt.pipeline.workspace.labels import not_withdrawn
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.base import Checked, Embedder, embed_labels
from hilt.proposers.models.encoder import resolve_device
from hilt.types import Floats, Integers, Items


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training came to.

    Attributes:
        cycle: Its number, from 1.
        new: Whether it was trained now; otherwise nothing has changed since.
        summary: Labels, kind of student, measures; what `hilt status` shows.
    """

    cycle: int
    new: bool
    summary: dict[str, Any]


def train(workspace: Workspace) -> TrainResult:
    """Train the student on everything that people have said.

    Not again when nothing is new, unless the last student's folder is gone. What it learns from is
    made anew where another configuration made it.

    Raises:
        WorkspaceError: If there are no proposals or no labels yet, or something would cost much to
            make anew.
    """
    with workspace.locked():
        workspace.required(workspace.fused, "propose")
        embedder = load_embedder(workspace)
        proposals = Panel(workspace, embedder)
        if not proposals.labelled:
            raise WorkspaceError(
                f"{workspace.folder} has no labels yet; review a batch first"
                f" (`{command_line('review', workspace.folder)}`)."
            )
        renew(proposals)
        made_of = _made_of(workspace, proposals)
        last = latest_training(workspace)
        lost = last is not None and not workspace.has_student(last.cycle)
        if last is not None and last.fingerprint == made_of and not lost:
            return TrainResult(last.cycle, False, told_in_full(workspace, last))
        number = 1 if last is None else last.cycle + 1
        for member in proposals.members:
            if member.learns:  # before the student does, for it is weighed by what they say
                ask(proposals, member)
        return _train(workspace, number, made_of, embedder, proposals)


def _made_of(workspace: Workspace, proposals: Panel) -> str:
    """Hash what makes a student; the embeddings are among what makes the proposals."""
    config = workspace.config
    return fingerprint(
        {
            "labels": [[each.index, each.label, each.audit] for each in proposals.labelled],
            "student": config.student.model_dump(),
            "proposals": proposals.makers,
            "seed": config.seed,
        }
    )


def _train(
    workspace: Workspace,
    number: int,
    made_of: str,
    embedder: Embedder,
    proposals: Panel,
) -> TrainResult:
    config = workspace.config
    outcomes = proposals.labelled
    started = time.monotonic()
    last_decision = workspace.database.last_decision()
    rng = generator(config.seed, Stream.TRAINING, number)
    indices = np.array([outcome.index for outcome in outcomes])
    positions = config.positions_of([str(outcome.label) for outcome in outcomes])
    problem = make_problem(workspace, indices, positions, embedder, proposals, rng)
    audit = np.flatnonzero([outcome.audit for outcome in outcomes])
    problem = replace(problem, audit=audit)
    training = train_student(
        problem,
        config.student,
        encoder=config.embedder.source,
        device=resolve_device(workspace.device),
        rng=rng,
        progress=workspace.progress,
    )
    labels = workspace.item_labels()
    times = workspace.audit_order.count_audited(labels, indices[audit].tolist())
    audited = workspace.audit_order.audited_items(labels)
    tested = None if workspace.test is None else _predict_test(workspace, training)
    draws = generator(config.seed, Stream.ADVANTAGE, number)
    advantage = measure_advantage(problem, config.student, draws)
    said = not_withdrawn(workspace.database.decisions())
    decided = [row for row in said if row.kind != "machine"]
    summary = {
        "human_labels": len(outcomes),
        "decisions": len(decided),
        "review_seconds": round(sum(row.seconds or 0.0 for row in decided), 2),
        "audit_labels": sum(outcome.audit for outcome in outcomes),
        "label_counts": dict(Counter(str(outcome.label) for outcome in outcomes)),
        "kind": training.student.kind,
        "self_training": training.self_training,
        "fusion": dict(zip(("student", *proposals.names), training.fusion.tolist(), strict=True)),
        "proposers": _measure_proposers(proposals, training, problem, times),
        "scores": training.scores,
        "audit": _measure_audit(training, problem, times),
        "audited_items": audited,
        **_two_accuracies(workspace, training, problem, indices, times, audited),
        "labelled": {
            **measure(training.out_of_fold, problem.positions).share(),
            "picked": any_picked(workspace.database, indices),
        },
        "test": None if tested is None else _measure_test(workspace, training, proposals, tested),
        "advantage": None if advantage is None else asdict(advantage),
        "seconds": round(time.monotonic() - started, 2),
    }
    save_student(
        training.student,
        workspace.student_folder(number),
        config.label_names,
        {"kind": config.embedder.kind, **config.embedder.settings},
        {
            "cycle": number,
            "fingerprint": made_of,
            MADE_BY: student_maker(proposals),
            EMBEDDER_FILES: proposals.embeddings["embedder"].get("files", ""),
            "training": summary,
        },
        embedder_weights=embedder.checksum if isinstance(embedder, Checked) else "",
        out_of_fold=(indices, positions, training.out_of_fold),
        tested=tested,
    )
    workspace.database.add_training(
        TrainingRow(
            cycle=number,
            fingerprint=made_of,
            last_decision=last_decision,
            summary=summary,
            created_at=datetime.now(UTC),
        )
    )
    trained = latest_training(workspace)
    assert trained is not None
    return TrainResult(number, True, told_in_full(workspace, trained))


def make_problem(
    workspace: Workspace,
    indices: Integers,
    positions: Integers,
    embedder: Embedder,
    proposals: Panel,
    rng: np.random.Generator,
) -> TrainingData:
    """Gather what a student learns from.

    Args:
        workspace: Where the pool is.
        indices: Shape (n,), the items that have a label.
        positions: Shape (n,), the positions of those labels.
        embedder: For the label descriptions.
        proposals: What the proposers say.
        rng: Draws the unlabelled items.
    """
    labels = workspace.config.label_list
    unlabelled = _sample_unlabelled(workspace, indices, rng)
    labelled_items = _items(workspace, indices)
    unlabelled_items, said = _items(workspace, unlabelled), proposals.rows(unlabelled)

    def retaught(rows: Integers) -> Floats:
        known = take(labelled_items, rows)
        return proposals.retaught(known, positions[rows], unlabelled_items, said)

    return TrainingData(
        labelled=labelled_items,
        positions=positions,
        groups=workspace.groups[indices],
        proposals=proposals.rows(indices),
        unlabelled=unlabelled_items,
        unlabelled_proposals=said,
        trust=proposals.trust,
        descriptions=Items(
            [label.name for label in labels],
            [label.description for label in labels],
            embed_labels(embedder, labels),
        ),
        retaught=retaught if any(member.learns for member in proposals.members) else None,
    )


def _items(workspace: Workspace, indices: Integers) -> Items:
    items = workspace.pool.items(indices)
    embeddings = workspace.embeddings.open()[indices].astype(np.float32)
    return Items(items.ids, items.texts, embeddings)


def _sample_unlabelled(
    workspace: Workspace, labelled: Integers, rng: np.random.Generator
) -> Integers:
    """Draw as many other items as self-training can use."""
    settings = workspace.config.student.self_training
    wanted = int(np.ceil(settings.max_items / settings.share))
    n_items = len(workspace.pool)
    useless = np.union1d(labelled, workspace.pool.empty)
    drawn = rng.choice(n_items, min(n_items, wanted + len(useless)), replace=False)
    return np.sort(drawn[~np.isin(drawn, useless)][:wanted])


def _measure_audit(
    training: Training, problem: TrainingData, times: Integers
) -> dict[str, Any] | None:
    """Measure on the audit items, each by students that did not learn its label.

    Args:
        training: Predicted them.
        problem: Has their labels.
        times: Shape (n_audit,), how many items each answer stands for.
    """
    if not len(times):
        return None
    rows = np.repeat(np.arange(len(times)), times)
    audit = problem.audit[rows]
    return _measure_all(
        training.audit[rows],
        training.audit_fused[rows],
        problem.proposals[:, audit],
        problem.trust,
        problem.positions[audit],
    )


def _two_accuracies(
    workspace: Workspace,
    training: Training,
    problem: TrainingData,
    indices: Integers,
    times: Integers,
    audited: int,
) -> dict[str, Any]:
    """Estimate how good the student and the proposals are on the pool, and on what is left of it.

    Args:
        workspace: Has the order of the audit.
        training: Predicted the labelled items.
        problem: Has their labels.
        indices: Shape (n,), which items of the pool they are.
        times: Shape (n_audit,), for how many items each audit answer stands.
        audited: Of how many items, from the first, the audit is a sample.
    """
    names = ("on_pool", "on_rest")
    if not len(times):
        return dict.fromkeys(names)
    audit = problem.audit
    others = np.setdiff1d(np.flatnonzero(indices < audited), audit)
    drawn = workspace.audit_order.stand_before(indices[others], indices[audit])
    proposals = problem.proposals
    proposed = pool_logarithmically([*proposals], problem.trust.exponents)
    fused = pool_logarithmically([training.out_of_fold, *proposals], training.fusion)
    items = audited - int((workspace.pool.empty < audited).sum())
    on_pool, on_rest = {}, {}
    for who, of_audit, of_others in (
        ("student", training.audit, training.out_of_fold),
        ("proposer", proposed[audit], proposed),
        ("fused", training.audit_fused, fused),
    ):
        right = of_audit.argmax(axis=1) == problem.positions[audit]
        also = of_others[others].argmax(axis=1) == problem.positions[others]
        sample = np.append(np.repeat(right, times), also[drawn])
        on_pool[who] = accuracy_on_the_pool(sample).to_dict()
        rest = accuracy_on_the_rest(sample, also[~drawn], items)
        on_rest[who] = None if rest is None else rest.to_dict()
    return dict(zip(names, (on_pool, on_rest), strict=True))


def _predict_test(workspace: Workspace, training: Training) -> Floats:
    """Let the student predict the test set."""
    items, _ = labelled_test(workspace)
    return training.student.predict_proba(items)


def _measure_test(
    workspace: Workspace, training: Training, proposals: Panel, student: Floats
) -> dict[str, Any]:
    """Measure on the test set, of which the student says this."""
    _, positions = labelled_test(workspace)
    said = proposals.test_rows()
    fused = pool_logarithmically([student, *said], training.fusion)
    return _measure_all(student, fused, said, proposals.trust, positions)


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
    proposals: Panel, training: Training, problem: TrainingData, times: Integers
) -> dict[str, dict[str, Any]]:
    """Measure each proposer, the student among them, on the audit labels that it answered."""
    rows = np.repeat(np.arange(len(times)), times)
    audit = problem.audit[rows]
    said = [training.audit[rows], *problem.proposals[:, audit], training.audit_fused[rows]]
    names = ["student", *proposals.names, "fused"]
    coverage = [1.0, *map(proposals.coverage, proposals.members), 1.0]
    weights = [*training.fusion.tolist(), None]
    return {
        name: {
            **_measured(each, problem.positions[audit]),
            "coverage": share,
            "weight": weight,
        }
        for name, each, share, weight in zip(names, said, coverage, weights, strict=True)
    }


def _measured(probabilities: Floats, positions: Integers) -> dict[str, Any]:
    """Measure the rows that are not abstentions."""
    answered = ~np.isnan(probabilities[:, 0])
    found = measure(probabilities[answered], positions[answered]) if answered.any() else None
    keys = ("accuracy", "low", "high", "calibration_error", "calibration_limit")
    return {"labels": int(answered.sum()), **{key: getattr(found, key, None) for key in keys}}


def labelled_test(workspace: Workspace) -> tuple[Items, Integers]:
    """Read the test set with its embeddings and true labels."""
    test = workspace.test
    assert test is not None
    items = test.items(slice(None))
    embeddings = workspace.required(workspace.test_embeddings, "propose").open()
    return Items(items.ids, items.texts, embeddings), test.answer_key(workspace.config.label_names)
