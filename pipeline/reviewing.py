"""Batches out to people, decisions back in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hilt.command_line import command_line
from hilt.errors import DataError, WorkspaceError
from hilt.outputs import NOT_OURS, output_file
from hilt.pipeline.batches import open_batch, read_batch, undecided
from hilt.pipeline.gate import add_decisions, misfit, name_misfit
from hilt.pipeline.next_steps import next_step
from hilt.pipeline.outcomes import GOLD
from hilt.pipeline.store import decision_row
from hilt.pipeline.tables import BatchItemRow, DecisionRow
from hilt.pipeline.workspace import Workspace
from hilt.reading.options import Options
from hilt.review.base import EXCHANGES, Exchange, Rejection
from hilt.review.simulated import SimulatedReviewer
from hilt.types import Batch, Decision

SHOWN_REJECTIONS = 20


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of some decisions.

    Attributes:
        added: Decisions that were stored.
        unchanged: Decisions that were stored before.
        rejected: What does not fit, with its line.
        unanswered: Lines without an answer.
        open_items: Items of the last batch that are still undecided.
    """

    added: int
    unchanged: int
    rejected: tuple[Rejection, ...]
    unanswered: int
    open_items: int


def export_batch(
    workspace: Workspace,
    path: Path | str,
    *,
    number: int | None = None,
    kind: str | None = None,
    simulated: bool = False,
    force: bool = False,
) -> Batch:
    """Write a batch to a file for review.

    Args:
        workspace: Where the batch is.
        path: The file; its ending (.jsonl, .csv) decides the format.
        number: Which batch, all of it that has a text; the undecided items of the open one by
            default.
        kind: Instead of the file's ending.
        simulated: Let the simulated reviewer fill in the answers.
        force: Move the file that stands there to NAME.bak-1.

    Raises:
        WorkspaceError: If there is no such batch.
        OutputError: If a file stands there that hilt did not write, or that holds answers which
            are not stored.
        DataError: If there is no answer key to simulate a reviewer with.
        UnknownNameError: If there is no such format.
    """
    path = Path(path)
    exchange = _exchange(path, kind)
    if number is not None:
        batch = read_batch(workspace, number)
        batch = replace(batch, items=tuple(item for item in batch.items if item.text.strip()))
    else:
        current = open_batch(workspace)
        if current is None:
            raise WorkspaceError(
                f"{workspace.folder} has no open batch; run `{next_step(workspace)}`, or name an"
                " earlier one with --batch."
            )
        batch = undecided(workspace, current)
    answers = simulated_reviewer(workspace).review(batch) if simulated else ()
    with output_file(
        path,
        force=force,
        ledger=workspace.ledger,
        keep=partial(_why_kept, workspace, exchange),
        note=workspace.progress.note,
    ) as temporary:
        exchange.write(batch, temporary, answers)
    return batch


def _why_kept(workspace: Workspace, exchange: Exchange, path: Path) -> str | None:
    """Say why a sheet must not be replaced: for answers in it that the database lacks."""
    try:
        answers = exchange.read(path, workspace.config.label_names, "")
    except DataError:
        answers = None
    known = workspace.ledger.knows(path)
    if answers is None:
        return None if known else NOT_OURS
    stored = set()
    for row in workspace.store.decisions():
        stored |= {_answer(row, row.reviewer), _answer(row, "")}
    lacking = sum(_answer(each, each.reviewer) not in stored for each in answers.decisions)
    lacking += len(answers.rejections) + answers.remarks
    if not lacking:
        return None
    reading = command_line("import", workspace.folder, path)
    return f"holds {lacking} answers or remarks that are not stored; store them with `{reading}`"


def _answer(said: Decision | DecisionRow, reviewer: str) -> tuple[object, ...]:
    return said.item_id, said.action, tuple(said.labels), said.comment, reviewer


def import_answers(
    workspace: Workspace,
    path: Path | str,
    *,
    reviewer: str = "reviewer",
    partial: bool = False,
    kind: str | None = None,
    gold: bool = False,
    options: Options | None = None,
) -> RecordResult:
    """Read answers from a file and store them; reading it again changes nothing.

    Args:
        workspace: Where the batch came from.
        path: What `export_batch` wrote, answered; a file with just `id` and `label` works too.
        reviewer: Who decided, where a line does not say.
        partial: Store what fits even when other lines do not.
        kind: Instead of the file's ending.
        gold: The answers are known to be right, so that they measure reviewers.
        options: How the file is written, where that cannot be told by looking.

    Raises:
        DataError: If the file cannot be read, or a line does not fit and `partial` is not set;
            then nothing is stored.
    """
    path = Path(path)
    exchange = _reading_exchange(path, kind)
    answers = exchange.read(path, workspace.config.label_names, reviewer, options)
    for warning in answers.warnings:
        workspace.progress.note(warning)
    if (reason := name_misfit(reviewer)) is not None:
        raise DataError(f"`--reviewer`: {reason}")
    decisions = answers.decisions
    if gold:
        decisions = tuple(replace(each, reviewer=GOLD, source=GOLD) for each in decisions)
    return _record(workspace, decisions, answers.rejections, answers.unanswered, path, partial)


def record(workspace: Workspace, decisions: Sequence[Decision]) -> RecordResult:
    """Store decisions, all or none.

    Raises:
        DataError: If one does not fit.
    """
    return _record(workspace, decisions, (), 0, None, partial=False)


def simulate(workspace: Workspace, batch: Batch) -> RecordResult:
    """Let the simulated reviewer answer a batch.

    Raises:
        DataError: If the pool has no known labels.
    """
    return record(workspace, simulated_reviewer(workspace).review(batch))


def simulated_reviewer(workspace: Workspace) -> SimulatedReviewer:
    """Build the reviewer that answers from the pool's answer key.

    Raises:
        DataError: If the pool has no known labels.
    """
    config, pool = workspace.config, workspace.pool
    if not pool.has_answer_key:
        raise DataError(
            "There is no answer key: name the column with known labels as `pool.label` in the"
            " configuration, and run `hilt init` again."
        )
    return SimulatedReviewer(
        pool.known_labels(), config.label_names, **config.simulation.model_dump(), seed=config.seed
    )


def _record(
    workspace: Workspace,
    decisions: Sequence[Decision],
    rejections: Sequence[Rejection],
    unanswered: int,
    path: Path | None,
    partial: bool,
) -> RecordResult:
    with workspace.locked():
        matched, misfits = _match(workspace, decisions)
        rejected = tuple(sorted((*rejections, *misfits), key=lambda rejection: rejection.line))
        if rejected and not partial:
            raise DataError(_refusal(path, rejected, len(matched)))
        rows = [decision_row(decision, index, shown) for decision, index, shown in matched]
        added = add_decisions(workspace, rows)
        still_open = open_batch(workspace)
        return RecordResult(
            added=added,
            unchanged=len(rows) - added,
            rejected=rejected,
            unanswered=unanswered,
            open_items=0 if still_open is None else len(undecided(workspace, still_open)),
        )


Matched = tuple[Decision, int, BatchItemRow | None]


def _match(
    workspace: Workspace, decisions: Sequence[Decision]
) -> tuple[list[Matched], list[Rejection]]:
    """Find each decision's item, and what the reviewer was shown of it."""
    shown: dict[tuple[str, int | None], BatchItemRow] = {}
    for row in workspace.store.batch_items():
        shown[row.item_id, row.batch] = shown[row.item_id, None] = row
    labels = workspace.config.label_names
    reasons = [_no_decision(each) or misfit(each, labels) for each in decisions]
    sound = [each for each, reason in zip(decisions, reasons, strict=True) if reason is None]
    indices = workspace.pool.find([d.item_id for d in sound if (d.item_id, None) not in shown])
    matched: list[Matched] = []
    misfits: list[Rejection] = []
    for number, (decision, reason) in enumerate(zip(decisions, reasons, strict=True), start=1):
        line = getattr(decision, "line", None) or number
        if reason is not None:
            misfits.append(Rejection(line, reason))
            continue
        seen = shown.get((decision.item_id, decision.batch))
        index = seen.item_index if seen is not None else indices.get(decision.item_id)
        reason = _misplaced(decision, index, seen)
        if reason is not None or index is None:
            misfits.append(Rejection(line, str(reason)))
        else:
            matched.append((decision, index, seen))
    return matched, misfits


def _no_decision(decision: object) -> str | None:
    if isinstance(decision, Decision):
        return None
    return f"it is a {type(decision).__name__}; it must be a hilt.Decision."


def _misplaced(decision: Decision, index: int | None, seen: BatchItemRow | None) -> str | None:
    """Say why a decision cannot be about its item, or None when it can."""
    if seen is None and decision.batch is not None:
        return f"batch {decision.batch!r} has no item with the id {decision.item_id!r}"
    if index is None:
        return f"no item of the pool has the id {decision.item_id!r}"
    if decision.machine and seen is not None and seen.blind:
        return f"the item {decision.item_id!r} is blind: it measures, so only people decide it."
    return None


def _refusal(path: Path | None, rejected: Sequence[Rejection], fitting: int) -> str:
    place = "decision" if path is None else f"{path}, line"
    lines = [f"{place} {each.line}: {each.reason}" for each in rejected[:SHOWN_REJECTIONS]]
    if len(rejected) > SHOWN_REJECTIONS:
        lines.append(f"... and {len(rejected) - SHOWN_REJECTIONS} more")
    remedy = "" if path is None else f" these lines, or store the other {fitting} with --partial"
    lines.append(f"Nothing was stored.{remedy and f' Mend{remedy}.'}")
    return "\n".join(lines)


def _exchange(path: Path, kind: str | None) -> Exchange:
    exchange: Exchange = EXCHANGES.load(kind or path.suffix.lstrip(".") or "jsonl")()
    return exchange


def _reading_exchange(path: Path, kind: str | None) -> Exchange:
    """Find what reads a file; one without a format of its own is a table of some kind."""
    ending = path.suffix.lstrip(".")
    return _exchange(path, kind or (ending if ending in EXCHANGES.names() else "csv"))
