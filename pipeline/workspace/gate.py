"""The one gate for decisions: each passes it before it is stored, whichever way it came.

Files, the screen, `hilt.record`, the oracle, the simulation, known answers and what settles
disagreements are all told the same about what fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import Any, get_args

from sqlalchemy.orm import Session

from hilt.errors import DataError
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.inserting import insert_decisions
from hilt.pipeline.workspace.labels import UNDO
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.reading.values import encodable
from hilt.registry import nearest
from hilt.review.base import GOLD, MACHINE, RESOLVED
from hilt.tasks.base import Answers
from hilt.types import Decision, DecisionKind, Part, Value
from hilt.values import in_words

ACTIONS = ("label", "skip", "flag")
KINDS = get_args(DecisionKind)
PREFIXES = {"machine": MACHINE, "rule": RESOLVED}  # of the names of who is no person
MAX_NAME_LENGTH = 200
MAX_SECONDS = 24 * 3600
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # how far the clock of another machine may be
SHOWN = 60

Said = Decision | DecisionRow


def add_decisions(
    files: WorkspaceFiles, database: Database, rows: Sequence[DecisionRow]
) -> list[DecisionRow]:
    """Store decisions that say something new, and return those; all or none.

    Raises:
        DataError: If one does not fit.
    """
    _check(files, rows)
    return database.add_decisions(rows)


def append_decisions(files: WorkspaceFiles, session: Session, rows: Sequence[DecisionRow]) -> None:
    """Store decisions in a transaction of `Database.writing`, but for those whose key is known.

    Raises:
        DataError: If one does not fit.
    """
    _check(files, rows)
    insert_decisions(session, rows)


def _check(files: WorkspaceFiles, rows: Sequence[DecisionRow]) -> None:
    size = len(files.pool)
    for row in rows:
        reason = misfit(row, files.task.answers)
        if reason is None and not 0 <= row.item_index < size:
            reason = f"there is no item {row.item_index}; the pool has {size}."
        if reason is not None:
            raise DataError(f"The decision on item {_shown(row.item_id)} does not fit: {reason}")
    found = wrong_places(files, [(row.item_index, row.value) for row in rows])
    for row, reason in zip(rows, found, strict=True):
        if reason is not None:
            raise DataError(f"The decision on item {_shown(row.item_id)} does not fit: {reason}")
    ids = files.pool.ids([row.item_index for row in rows])
    for row, item_id in zip(rows, ids, strict=True):
        if row.item_id != item_id:
            raise DataError(
                f"The decision on item {_shown(row.item_id)} does not fit: item {row.item_index} is"
                f" {item_id!r}."
            )


def wrong_places(files: WorkspaceFiles, said: Sequence[tuple[int, Value]]) -> list[str | None]:
    """Say of each answer why its places cannot be in its item; None where they can.

    Args:
        files: Of the workspace; only the items of answers with places are read.
        said: The index of an item, and an answer about it.
    """
    reasons: list[str | None] = [None] * len(said)
    placed = [n for n, (_, value) in enumerate(said) if any(part.place for part in value)]
    contents = files.pool.contents([said[n][0] for n in placed]) if placed else []
    for n, content in zip(placed, contents, strict=True):
        reasons[n] = files.task.answers.problem(said[n][1], content)
    return reasons


def misfit(said: Said, answers: Answers) -> str | None:
    """Say why a decision cannot be stored, in a sentence; None when it can.

    Args:
        said: The decision, whose item is looked for elsewhere.
        answers: Of the task.
    """
    if not isinstance(said, Said):
        return f"it is a {type(said).__name__}; it must be a hilt.Decision."
    return (
        _wrong_text(said)
        or _wrong_kind(said)
        or _wrong_answer(said, answers)
        or _wrong_reviewer(said)
        or _wrong_seconds(said.seconds)
        or _wrong_moment(said.decided_at)
    )


def with_plain_numbers(decision: Decision) -> Decision:
    """Give the numbers of a decision as Python's own, which a database takes; NumPy's are others.

    What is no number stays as it is, to be refused.
    """
    batch, seconds = decision.batch, decision.seconds
    if isinstance(batch, Integral) and not isinstance(batch, bool):
        batch = int(batch)
    if isinstance(seconds, Real) and not isinstance(seconds, int):
        seconds = float(seconds)
    return replace(decision, batch=batch, seconds=seconds)


def name_misfit(name: object) -> str | None:
    """Say why a name cannot be that of a person, in a sentence; None when it can."""
    malformed = _malformed_name(name)
    if malformed is not None:
        return malformed
    lower = str(name).casefold()
    for prefix, whose in ((MACHINE, "proposers, by `hilt oracle`"), (RESOLVED, "hilt's own rules")):
        if lower.startswith(prefix):
            return (
                f"the reviewer is {name!r}, but names that begin with {prefix!r} are reserved for"
                f" {whose}; use another name for the person."
            )
    if lower == GOLD:
        return (
            f"the reviewer is {name!r}, a name reserved for known answers, by `hilt import"
            " --gold`; use another name for the person."
        )
    return None


def _malformed_name(name: object) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return f"the reviewer is {_shown(name)}; give the name of the person who decided."
    if name != name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        return (
            f"the reviewer is {_shown(name)}; a name has at most {MAX_NAME_LENGTH} characters, no"
            " control characters, and no space at its ends."
        )
    return None


def _wrong_text(said: Said) -> str | None:
    if said.batch is not None and type(said.batch) is not int:
        return f"batch is {_shown(said.batch)}; it must be a whole number, or None."
    texts = {"item's id": said.item_id, "comment": said.comment, "source": said.source}
    for what, text in texts.items():
        if not isinstance(text, str):
            return f"the {what} is {_shown(text)}; it must be a text."
        if not encodable(text) or "\0" in text:
            return (
                f"the {what} is {_shown(text)}, which contains half of a surrogate pair or a NUL;"
                " no database can store that."
            )
    return None


def _wrong_kind(said: Said) -> str | None:
    if said.kind not in KINDS:
        known = nearest(str(said.kind), KINDS)
        return f"the kind is {_shown(said.kind)}.{known} Allowed: {', '.join(KINDS)}."
    if said.kind == "gold" and said.action != "label":
        return f"a known answer must be a label, but the action is {_shown(said.action)}."
    return None


def _wrong_answer(said: Said, answers: Answers) -> str | None:
    given, action = said.value, said.action
    if not isinstance(given, tuple) or not all(map(_is_part, given)):
        return f"value is {_shown(given)}; it must be a tuple of labels, such as ('NAME',)."
    if action == UNDO and isinstance(said, DecisionRow) and said.withdraws is not None:
        return None if not given else "a decision that withdraws another one has no answer."
    if action not in ACTIONS:
        return (
            f"the action is {_shown(action)}.{nearest(str(action), ACTIONS)}"
            f" Allowed: {', '.join(ACTIONS)}."
        )
    if action != "label":
        return f"the action is {action!r} but the answer is {in_words(given)!r}." if given else None
    return answers.problem(given, None)


def _is_part(part: object) -> bool:
    return (
        isinstance(part, Part)
        and isinstance(part.label, str)
        and isinstance(part.place, tuple)
        and all(isinstance(each, int | float) and math.isfinite(each) for each in part.place)
    )


def _wrong_reviewer(said: Said) -> str | None:
    name, kind = said.reviewer, said.kind
    malformed = _malformed_name(name)
    if malformed is not None:
        return malformed
    if kind == "gold":
        given_by = f"the reviewer is {name!r}, but known answers are those of {GOLD!r}."
        return None if name == GOLD else given_by
    prefix = PREFIXES.get(kind)
    if prefix is None:
        return name_misfit(name)
    if name.casefold().startswith(prefix):
        return None
    return f"the reviewer is {name!r}, but {kind} decisions have names that begin with {prefix!r}."


def _wrong_seconds(seconds: Any) -> str | None:  # noqa: ANN401 - anybody may have made it
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is None or (number and 0 <= seconds <= MAX_SECONDS):  # so it is no NaN either
        return None
    return (
        f"seconds is {_shown(seconds)}; it must be a number of at least 0, such as 4.5, and at"
        f" most a day ({MAX_SECONDS:,})."
    )


def _wrong_moment(moment: object) -> str | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        return f"decided_at is {_shown(moment)}; it must be a datetime, or None for now."
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not EARLIEST <= aware <= datetime.now(UTC) + AHEAD:
        return f"decided_at is {moment.isoformat()}; it must be after 1970 and not in the future."
    return None


def _shown(value: object) -> str:
    told = repr(value)
    return told if len(told) <= SHOWN else f"{told[:SHOWN]}..."
