"""Every decision of a workspace into one file; see `decisions_file`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import func, select

from hilt.errors import DataError
from hilt.outputs import output_file
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.reviewing.decisions_file import (
    BatchLine,
    DecisionLine,
    End,
    Header,
    ItemLine,
    ShownLine,
)
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.tables import BatchItemRow, BatchRow, DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.values import candidates_to_json, value_to_json

ENDING = ".jsonl"
AT_ONCE = 1000  # rows


@dataclass(frozen=True, slots=True)
class ExportedDecisions:
    """What a file of decisions holds.

    Attributes:
        decisions: Decisions, those that were taken back among them.
        batches: Batches.
        items: Items that these are about.
    """

    path: Path
    decisions: int
    batches: int
    items: int


def export_decisions(
    workspace: Workspace, file: Path | str, *, force: bool = False
) -> ExportedDecisions:
    """Write every decision ever made, with the batches in which it was asked.

    `import_answers` reads the file: into a new workspace of the same pool and labels, whose state
    is then the same, or as labels given before into one of another pool. Students, and the tokens
    of reviewers, are not in it.

    Args:
        workspace: Whose decisions.
        file: It ends in .jsonl.
        force: Move an existing file to NAME.bak-1.

    Raises:
        OutputError: If the place is taken, or cannot be written.
        DataError: If the file has another ending.
    """
    path = Path(file)
    if path.suffix.casefold() != ENDING:
        raise DataError(f"{path} does not end in {ENDING}; decisions are written as JSON Lines.")
    with output_file(
        path, force=force, ledger=workspace.ledger, note=workspace.progress.note
    ) as temporary:
        return _write(workspace, workspace.database, temporary, path)


def _write(
    files: WorkspaceFiles, database: Database, temporary: Path, path: Path
) -> ExportedDecisions:
    last = database.last_decision()  # before the batches: what is added later is left out
    with database.reading() as session, temporary.open("wb") as file:
        batches = list(session.scalars(select(BatchRow).order_by(BatchRow.number)))
        said = DecisionRow.id <= last
        items = sorted(
            {*session.scalars(select(BatchItemRow.item_index).distinct())}
            | {*session.scalars(select(DecisionRow.item_index).where(said).distinct())}
        )
        decisions = session.scalar(select(func.count()).select_from(DecisionRow).where(said)) or 0
        header = Header(
            pool=files.pool.fingerprint,
            pool_items=len(files.pool),
            earlier=tuple((e.items, e.fingerprint) for e in files.pool.summary.earlier),
            labels=files.config.label_names,
            seed=files.config.seed,
            items=len(items),
            batches=len(batches),
            decisions=decisions,
        )
        lines = select(DecisionRow).where(said).order_by(DecisionRow.id)
        digest = hashlib.sha256()
        for line in chain(
            (header,),
            _items(files.pool, items),
            (_batch(batch, database.batch_items(batch.number)) for batch in batches),
            map(_decision, session.scalars(lines.execution_options(yield_per=AT_ONCE))),
        ):
            written = line.written()
            digest.update(written)
            file.write(written)
        file.write(End(sha256=digest.hexdigest()).written())
    return ExportedDecisions(path, decisions, len(batches), len(items))


def _items(pool: Pool, indices: list[int]) -> Iterator[ItemLine]:
    for start in range(0, len(indices), AT_ONCE):
        some = indices[start : start + AT_ONCE]
        ids, texts = pool.ids(some), pool.texts(some)
        for index, item_id, text in zip(some, ids, texts, strict=True):
            yield ItemLine(index=index, id=item_id, text=text)


def _batch(batch: BatchRow, items: list[BatchItemRow]) -> BatchLine:
    return BatchLine(
        number=batch.number,
        cycle=batch.cycle,
        selector=batch.selector,
        created_at=batch.created_at,
        extends=batch.extends,
        items=[
            ShownLine(
                item=item.item_index,
                rank=item.rank,
                reason=item.reason,
                score=item.score,
                blind=item.blind,
                proposal=candidates_to_json(item.proposal),
                why=item.why,
                answer=None if item.answer is None else value_to_json(item.answer),
            )
            for item in items
        ],
    )


def _decision(row: DecisionRow) -> DecisionLine:
    names = DecisionLine.model_fields.keys() - {"kind", "item", "decision_kind", "labels", "shown"}
    fields = {name: getattr(row, name) for name in names}
    return DecisionLine.model_construct(
        item=row.item_index,
        decision_kind=row.kind,
        labels=value_to_json(row.value),
        shown=None if row.shown is None else value_to_json(row.shown),
        **fields,
    )
