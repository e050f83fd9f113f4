"""Answers on their way in: each finds its item, passes the gate, and is stored; all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hilt.errors import DataError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.gate import add_decisions, misfit, wrong_places
from hilt.pipeline.workspace.matching import MatchedDecision, Matching, settle
from hilt.review.base import Answered, Rejection

SHOWN_REJECTIONS = 20
SHOWN_OTHERS = 5


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of some decisions.

    Attributes:
        added: Decisions that were stored.
        unchanged: Decisions that were stored before.
        changed: Of the added ones, those that differ from what the same reviewer said before when
            asked the same; they take its place.
        mended: Answers that were found by batch, rank and text, though a program changed their ids.
        rejected: What does not fit, with its line.
        unanswered: Lines without an answer.
        open_items: Items of the last batch that are still undecided.
        batches: Batches that came with the decisions, out of a file of all decisions.
        machine: Answers of proposers in such a file that were left out.
        as_labels: Why the answers of such a file came as labels given before, and what did not
            come; empty where the state is the same.
    """

    added: int
    unchanged: int
    rejected: tuple[Rejection, ...]
    unanswered: int
    open_items: int
    changed: int = 0
    mended: int = 0
    batches: int = 0
    machine: int = 0
    as_labels: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where answers come from, for messages.

    Attributes:
        path: The file; None where they came as values.
        partial: Whether to store what fits though other answers do not.
        rejected: What could not be read at all.
        unit: What its lines are: `line`, `record` or `row`.
    """

    path: Path | None = None
    partial: bool = False
    rejected: Sequence[Rejection] = ()
    unit: str = "line"


def take(
    state: LoopState,
    database: Database,
    answers: Sequence[Answered],
    source: Source,
    *,
    match: str = "auto",
    own: bool = False,
) -> RecordResult:
    """Find the items of some answers, and store what was said.

    Args:
        state: As it is, read under the lock.
        database: Where they are stored.
        answers: In their order, each with its line. Out of a file, of several answers of one
            reviewer on one item one counts where they are the same, and none where they differ.
        source: Where they come from.
        match: As for `Matching`.
        own: Whether all were asked by the batch's own sheet, so that what is blind was blind.

    Raises:
        DataError: If one does not fit and `source` is not partial; then nothing is stored.
    """
    task = state.files.task.answers
    # What is accepted is known, and can be looked at, once the item is found.
    reasons = [None if each.accepts else misfit(each.decision, task) for each in answers]
    sound = [each for each, why in zip(answers, reasons, strict=True) if why is None]
    matching = Matching(state.files.pool, state.batch_items, sound, match)
    found: list[tuple[int, MatchedDecision]] = []
    wrong: list[tuple[int, str]] = []
    for number, (answer, reason) in enumerate(zip(answers, reasons, strict=True), start=1):
        item = reason or matching.find(answer)
        if isinstance(item, MatchedDecision):
            item = misfit(item.decision, task) or _misplaced(item) or item
        line = _line(answer, number, source)
        if isinstance(item, MatchedDecision):
            found.append((line, replace(item, own=own or item.own)))
        else:
            wrong.append((line, item))
    said = [(each.index, each.decision.value) for _, each in found]
    checked = list(zip(found, wrong_places(state.files, said), strict=True))
    wrong += [(line, why) for (line, _), why in checked if why]
    fitting = [each for (_, each), why in checked if why is None]
    if source.path is not None:
        settled = list(settle(fitting, source.unit))
        fitting = [each for each, why in settled if why is None]
        wrong += [(each.decision.line or 0, why) for each, why in settled if why]
    rejected = [*source.rejected, *(Rejection(line, why, source.unit) for line, why in wrong)]
    rejected.sort(key=lambda rejection: rejection.line)
    refuse(source, rejected, len(fitting))
    return replace(_store(state, database, fitting), rejected=tuple(rejected))


def refuse(source: Source, rejected: Sequence[Rejection], fitting: int) -> None:
    """List what does not fit, unless it may be left out.

    Raises:
        DataError: If something does not fit, and `source` is not partial.
    """
    if not rejected or source.partial:
        return
    place = "decision" if source.path is None else f"{source.path}, {rejected[0].unit}"
    lines: dict[str, list[int]] = {}
    for each in rejected:
        lines.setdefault(each.reason, []).append(each.line)
    told = [
        f"{place} {numbers[0]}{_and_others(numbers[1:])}: {reason}"
        for reason, numbers in list(lines.items())[:SHOWN_REJECTIONS]
    ]
    if len(lines) > SHOWN_REJECTIONS:
        told.append(f"... and {len(lines) - SHOWN_REJECTIONS} more")
    mend = f" Correct these {rejected[0].unit}s, or store the other {fitting} with --partial."
    told.append(f"Nothing was stored.{'' if source.path is None else mend}")
    raise DataError("\n".join(told))


def _and_others(numbers: Sequence[int]) -> str:
    """Name the other places of which the same is said."""
    if not numbers:
        return ""
    named = ", ".join(map(str, numbers[:SHOWN_OTHERS]))
    return f" (and {len(numbers):,} more: {named}{', ...' * (len(numbers) > SHOWN_OTHERS)})"


def _line(answer: Answered, number: int, source: Source) -> int:
    return number if source.path is None else answer.decision.line or 0


def _store(state: LoopState, database: Database, found: Sequence[MatchedDecision]) -> RecordResult:
    rows = [decision_row(each.decision, each.index, each.shown, own=each.own) for each in found]
    before = {(r.item_index, r.reviewer, r.batch): r for r in state.standing_decisions}
    earlier = [before.get((row.item_index, row.reviewer, row.batch)) for row in rows]
    changed = sum(
        old is not None and (old.action, old.value) != (row.action, row.value)
        for old, row in zip(earlier, rows, strict=True)
    )
    added = add_decisions(state.files, database, rows)
    return RecordResult(
        added=len(added),
        unchanged=len(rows) - len(added),
        rejected=(),
        unanswered=0,
        open_items=state.after_decisions(added).open_items,
        changed=changed,
        mended=sum(each.mended for each in found),
    )


def _misplaced(found: MatchedDecision) -> str | None:
    """Say why a decision cannot be about its item, or None when it can."""
    if found.decision.kind == "machine" and found.shown is not None and found.shown.blind:
        name = found.decision.item_id
        return f"the item {name!r} is blind: it measures accuracy, so only people decide it."
    return None
