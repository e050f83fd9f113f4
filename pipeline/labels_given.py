"""A file of all decisions of another pool, or with other labels: labels given before."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from hilt.command_line import command_line
from hilt.pipeline.decisions_file import DecisionLine, DecisionsFile, Header, ItemLine
from hilt.pipeline.figures import counted
from hilt.pipeline.outcomes import ADJUDICATION, GOLD, standing
from hilt.pipeline.pools.appending import first_fingerprints
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.recording import RecordResult, Source, take
from hilt.pipeline.tables import DecisionRow
from hilt.pipeline.workspace import Workspace
from hilt.reading.names import label_listing
from hilt.review.base import Answered
from hilt.types import Action, Decision


def take_labels(
    workspace: Workspace, file: DecisionsFile, source: Source, match: str, differs: str
) -> RecordResult:
    """Store the last word of each person on each item as a label given before.

    Args:
        workspace: Where to.
        file: What to read.
        source: The same, for messages.
        match: As for `Matching`.
        differs: Why it cannot be the same state, in a clause.
    """
    items: dict[int, ItemLine] = {}
    rows: list[DecisionRow] = []
    for number, line in file.content():
        if isinstance(line, ItemLine):
            items[line.index] = line
        elif isinstance(line, DecisionLine):
            if line.item not in items:
                raise file.wrong(number, f"no line tells of the item {line.item}")
            fields = line.model_dump(exclude={"kind", "item", "batch"})
            item_id = items[line.item].id
            rows.append(DecisionRow(id=number, item_index=line.item, item_id=item_id, **fields))
    latest = {(row.item_index, row.reviewer): row for row in standing(rows)}
    said = sorted(latest.values(), key=lambda row: row.id)
    people = [
        Answered(_decision(row), text=items[row.item_index].text) for row in said if not row.machine
    ]
    result = take(workspace, people, source, match=match)
    audit = sum(row.audit for row in said if not row.machine)
    answers = counted(result.added + result.unchanged, "answer")
    told = f"{differs}: {answers} came as labels given before{_left_behind(file.header, audit)}."
    if _grew_otherwise(workspace.pool, file.header):
        told += " The state as it was needs a pool that grew in the same way. "
        told += grow_likewise(file.header)
    return replace(result, machine=len(said) - len(people), as_labels=told)


def _left_behind(header: Header, audit: int) -> str:
    """Say in a clause what is not in labels given before."""
    left = [
        counted(number, one, more)
        for number, one, more in (
            (header.batches, "batch", "batches"),
            (audit, "answer's place in the audit", "answers' places in the audit"),
        )
        if number
    ]
    return f"; {' and '.join(left)} did not come" if left else ""


def _grew_otherwise(pool: Pool, header: Header) -> bool:
    """Tell whether one of two pools that differ is the beginning of the other."""
    if (len(pool), pool.fingerprint) in header.earlier:
        return True
    return header.pool_items < len(pool) and header.pool in first_fingerprints(
        pool, header.pool_items
    )


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        item_id=row.item_id,
        action=cast("Action", row.action),  # the gate looks at it
        labels=tuple(row.labels),
        reviewer=row.reviewer,
        seconds=row.seconds,
        comment=row.comment,
        source=row.source if row.source in (GOLD, ADJUDICATION) else "file",
        decided_at=row.decided_at,
        line=row.id,
    )


def what_differs(workspace: Workspace, header: Header) -> str | None:
    """Say in a clause why the state cannot be the same here; None when it can.

    The order of the labels is of no account: all that is stored names them.
    """
    pool = workspace.pool
    if not pool.began_as(header.pool, header.pool_items):
        sizes = f"{header.pool_items:,} items, here {len(pool):,}"
        return f"The pool is another one ({sizes})"
    here, there = workspace.config.label_names, header.labels
    only = {
        "only in the file": [name for name in there if name not in here],
        "only here": [name for name in here if name not in there],
    }
    told = "; ".join(f"{where}: {label_listing(names)}" for where, names in only.items() if names)
    return f"The labels are others ({told})" if told else None


def first_items(header: Header) -> int:
    """Say how many items the pool of the file began with."""
    return header.earlier[0][0] if header.earlier else header.pool_items


def grow_likewise(header: Header) -> str:
    """Name the way to a workspace whose pool grew as that of the file."""
    return (
        f"Make a workspace of the first {first_items(header):,} rows, take in what came later by"
        f" `{command_line('init', 'NEW', '--append')}`, and import the file there."
    )
