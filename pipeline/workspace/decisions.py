"""What people said, item by item: labels, skips, flags and comments, to look through."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from hilt.errors import DataError
from hilt.outputs import output_file
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.labels import ItemLabel, not_withdrawn, resolve_all
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.formats.csv_table import BYTE_ORDER_MARK, as_cell
from hilt.tasks.base import Answers
from hilt.types import DecisionKind
from hilt.values import in_words


@dataclass(frozen=True, slots=True)
class GivenDecision:
    """What one person last said about one item.

    Attributes:
        action: `label`, `skip` or `flag`.
        label: The answer that they gave, in words; None where they skipped or flagged.
        comment: What they wrote beside it; empty where they wrote nothing.
        outcome: The answer that the item has now, by all decisions together; None without one.
        source: The way by which it came in: `screen`, `file`, ...
        kind: What it is: `review`, `bulk`, `adjudication`, ...; see `hilt.Decision`.
    """

    id: str
    text: str
    action: str
    label: str | None
    reviewer: str
    comment: str
    outcome: str | None
    batch: int | None
    source: str
    kind: DecisionKind
    decided_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold, and a row of a table."""
        return asdict(self) | {"decided_at": self.decided_at.isoformat(timespec="seconds")}


@dataclass(frozen=True, slots=True)
class Notes:
    """On how many items somebody's last word is a skip, a flag, or has a comment."""

    skipped: int
    flagged: int
    commented: int


def decisions(
    workspace: Workspace,
    *,
    flagged: bool = False,
    skipped: bool = False,
    commented: bool = False,
) -> list[GivenDecision]:
    """List the decisions of people, oldest first; only the last one of each person on an item.

    Args:
        workspace: Whose decisions.
        flagged: List flags.
        skipped: List skips.
        commented: List what has a comment. Without any of the three, everything is listed.
    """
    rows = not_withdrawn(workspace.database.decisions())
    return list_decisions(
        workspace.pool,
        rows,
        workspace.task.answers,
        flagged=flagged,
        skipped=skipped,
        commented=commented,
    )


def list_decisions(
    pool: Pool,
    rows: Sequence[DecisionRow],
    answers: Answers,
    *,
    flagged: bool,
    skipped: bool,
    commented: bool,
) -> list[GivenDecision]:
    """List what people said, as `decisions` does.

    Args:
        pool: With the texts.
        rows: The decisions that stand.
        answers: Of the task.
        flagged: As for `decisions`, like the rest.
        skipped: List skips.
        commented: List what has a comment.
    """
    wanted = [
        row
        for row in last_words(rows)
        if not (flagged or skipped or commented)
        or (flagged and row.action == "flag")
        or (skipped and row.action == "skip")
        or (commented and row.comment)
    ]
    outcomes = {outcome.index: outcome for outcome in resolve_all(rows, answers)}
    texts = pool.texts([row.item_index for row in wanted])
    return [
        _given(row, text, outcomes[row.item_index]) for row, text in zip(wanted, texts, strict=True)
    ]


def write_decisions(
    workspace: Workspace,
    given: Sequence[GivenDecision],
    path: Path | str,
    *,
    force: bool = False,
) -> Path:
    """Write decisions as CSV that a spreadsheet opens.

    Args:
        workspace: Whose decisions these are.
        given: From `decisions`.
        path: The file, which ends in .csv.
        force: Move an existing file to NAME.bak-1.

    Raises:
        OutputError: If the place is taken, or cannot be written.
        DataError: If the file has another ending.
    """
    path = Path(path)
    if path.suffix.casefold() != ".csv":
        raise DataError(f"{path} does not end in .csv; decisions are written as CSV.")
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, [field.name for field in fields(GivenDecision)])
    writer.writeheader()
    for each in given:
        free = {"text": each.text, "comment": each.comment}
        writer.writerow(each.to_dict() | {name: as_cell(text) for name, text in free.items()})
    with output_file(
        path, force=force, ledger=workspace.ledger, note=workspace.progress.note
    ) as temporary:
        temporary.write_text(BYTE_ORDER_MARK + sheet.getvalue(), encoding="utf-8", newline="")
    return path


def count_notes(rows: Iterable[DecisionRow]) -> Notes:
    """Count the items that people skipped, flagged or commented on.

    Args:
        rows: The decisions that stand.
    """
    said = last_words(rows)
    return Notes(
        skipped=len({row.item_index for row in said if row.action == "skip"}),
        flagged=len({row.item_index for row in said if row.action == "flag"}),
        commented=len({row.item_index for row in said if row.comment}),
    )


def total_seconds(decisions: Sequence[DecisionRow]) -> float | None:
    """Add up the time that was measured, None when none was."""
    measured = [row.seconds for row in decisions if row.seconds is not None]
    return sum(measured) if measured else None


def last_words(rows: Iterable[DecisionRow]) -> list[DecisionRow]:
    """Keep the latest standing decision of each person on each item, in order."""
    latest = {
        (row.item_index, row.reviewer): row for row in rows if row.kind not in ("machine", "rule")
    }
    return sorted(latest.values(), key=lambda row: row.id)


def _given(row: DecisionRow, text: str, outcome: ItemLabel) -> GivenDecision:
    return GivenDecision(
        id=row.item_id,
        text=text,
        action=row.action,
        label=in_words(row.value) if row.action == "label" else None,
        reviewer=row.reviewer,
        comment=row.comment,
        outcome=None if outcome.machine or outcome.value is None else in_words(outcome.value),
        batch=row.batch,
        source=row.source,
        kind=row.kind,
        decided_at=row.decided_at,
    )
