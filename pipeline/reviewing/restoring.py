"""A file of all decisions back in: as the same state, or as labels given before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from hilt.command_line import command_line
from hilt.errors import DataError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.decisions_file import (
    BatchLine,
    DecisionLine,
    DecisionsFile,
    ItemLine,
    ShownLine,
)
from hilt.pipeline.reviewing.other_pools import first_items, grow_likewise, what_came, what_differs
from hilt.pipeline.reviewing.recording import RecordResult, Source, refuse, take
from hilt.pipeline.workspace.audit_slice import read_copies
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.decision_rows import measures
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.gate import append_decisions, misfit
from hilt.pipeline.workspace.labels import SETTLING, not_withdrawn
from hilt.pipeline.workspace.tables import BatchItemRow, BatchRow, DecisionRow, Table
from hilt.review.base import Answered, Rejection
from hilt.types import Action, Decision
from hilt.values import candidates_from_json, value_from_json

AT_ONCE = 1000  # decisions
OWN_ID = {"id"}  # the number of a decision, which the database gives


def restore(
    state: LoopState, database: Database, file: DecisionsFile, source: Source, match: str
) -> RecordResult:
    """Store what a file of decisions holds.

    Args:
        state: As it is, read under the lock. Of the same pool and labels, it becomes that of the
            file; of others, the answers of people come as labels given before.
        database: Where they are stored.
        file: What to read.
        source: The same, for messages.
        match: As for `Matching`; refused where pool and labels are the same.

    Raises:
        DataError: If something does not fit and `source` is not partial, or the workspace has
            other decisions than the file; then nothing is stored.
    """
    differs = what_differs(state.files, file.header)
    if differs is not None:
        return _take_labels(state, database, file, source, match, differs)
    if match != "auto":
        raise DataError(
            f"{file.path} belongs to the pool of {state.files.folder}, where every item is found by"
            " its place; leave out --match."
        )
    _check_audit(state.files, file)
    with database.writing() as session:
        restoring = _Restoring(state.files, session, file)
        for number, line in file.content():
            restoring.add(number, line)
        restoring.finish(source)
    return RecordResult(
        added=restoring.added,
        unchanged=restoring.known,
        rejected=tuple(restoring.rejected),
        unanswered=0,
        open_items=LoopState.of(state.files, database).open_items,
        batches=restoring.added_batches,
    )


def _check_audit(files: WorkspaceFiles, file: DecisionsFile) -> None:
    """Refuse a workspace in which the audit would go on otherwise than it began."""
    header, summary = file.header, files.pool.summary
    if header.seed != files.config.seed:
        raise DataError(
            f"{file.path} was drawn with `seed: {header.seed}`, but {files.folder} has"
            f" {files.config.seed}, so the audit would continue in another order; set"
            f" `seed: {header.seed}` in {files.folder / 'hilt.yaml'}, and import again."
        )
    grown = tuple((each.items, each.fingerprint) for each in summary.earlier)
    if grown[: len(header.earlier)] != header.earlier or (
        len(grown) > len(header.earlier) and grown[len(header.earlier)][1] != header.pool
    ):
        raise DataError(
            f"{file.path} belongs to a pool that began with {first_items(header):,} items, but the"
            f" pool of {files.folder} grew differently, so the audit would not be the"
            f" same. {grow_likewise(header)}"
        )


class _Restoring:
    """Goes through a file beside what the workspace has, and appends what the file has more.

    One of the two must be the beginning of the other: batches by batches, decisions by decisions.
    """

    def __init__(self, files: WorkspaceFiles, session: Session, file: DecisionsFile) -> None:
        self.added = self.added_batches = self.known = 0
        self.rejected: list[Rejection] = []
        self._files, self._session, self._file = files, session, file
        self._batches = _values(session.scalars(select(BatchRow).order_by(BatchRow.number)))
        rows = session.scalars(select(BatchItemRow).order_by(BatchItemRow.batch, BatchItemRow.rank))
        self._items = _values(rows)
        self._said = _values(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))
        self._met = {BatchRow: 0, BatchItemRow: 0, DecisionRow: 0}
        self._ids: dict[int, str] = {}
        self._shown: dict[tuple[int, int], BatchItemRow] = {}
        self._numbers: set[int] = set()
        self._keys: set[str] = set()
        self._waiting: list[DecisionRow] = []

    def add(self, number: int, line: ItemLine | BatchLine | DecisionLine) -> None:
        """Take in a line."""
        if isinstance(line, ItemLine):
            self._ids[line.index] = line.id
        elif isinstance(line, BatchLine):
            self._add_batch(number, line)
        else:
            self._add_decision(number, line)

    def finish(self, source: Source) -> None:
        """Store what waits; refuse what does not fit, and a workspace that went another way."""
        refuse(source, self.rejected, self._file.header.decisions - len(self.rejected))
        self._store_waiting()
        lacking = [
            table.__tablename__
            for table, there in ((BatchRow, self._batches), (DecisionRow, self._said))
            if self._met[table] < len(there)
        ]
        if lacking and (self.added or self.added_batches):
            raise self._differs(f"another {lacking[0]}")

    def _add_batch(self, number: int, line: BatchLine) -> None:
        row = BatchRow(**line.model_dump(exclude={"kind", "items"}))
        items = [self._batch_item(number, line.number, item) for item in line.items]
        if line.number in self._numbers or (
            line.extends is not None and line.extends not in self._numbers
        ):
            raise self._file.wrong(
                number, f"batch {line.number} occurs twice, or extends a later one"
            )
        copies = read_copies([line.selector])
        if max([*copies, *copies.values()], default=0) >= self._file.header.pool_items:
            raise self._file.wrong(number, f"batch {line.number} has copies that are not items")
        self._numbers.add(line.number)
        for each in items:
            if (line.number, each.item_index) in self._shown:
                raise self._file.wrong(number, f"batch {line.number} has an item twice")
            self._shown[line.number, each.item_index] = each
        if self._is_there(row, self._batches):
            if not all([self._is_there(each, self._items) for each in items]):
                raise self._differs(f"another batch {line.number}")
            return
        self._session.add(row)
        self._session.flush()
        self._session.add_all(items)
        self._session.flush()
        self.added_batches += 1

    def _batch_item(self, number: int, batch: int, shown: ShownLine) -> BatchItemRow:
        fields = shown.model_dump(exclude={"item", "proposal", "answer"})
        index = self._index(number, shown.item)
        return BatchItemRow(
            **fields,
            batch=batch,
            item_index=index,
            item_id=self._ids[index],
            proposal=candidates_from_json(shown.proposal),
            answer=None if shown.answer is None else value_from_json(shown.answer),
        )

    def _add_decision(self, number: int, line: DecisionLine) -> None:
        index = self._index(number, line.item)
        shown = None if line.batch is None else self._shown.get((line.batch, index))
        asked = None if line.decision_kind == "machine" else shown
        audit = measures(asked, blind=line.blind)
        row = _row(line, item_index=index, item_id=self._ids[index], audit=audit)
        reason = misfit(row, self._files.task.answers)
        if reason is None and line.batch is not None and shown is None:
            reason = f"batch {line.batch} has no item {self._ids[index]!r}."
        if reason is None and line.key is not None and line.key in self._keys:
            reason = f"the key {line.key[:60]!r} occurs twice."
        if reason is not None:
            self.rejected.append(Rejection(number, reason))
            return
        self._keys |= set() if line.key is None else {line.key}
        if self._is_there(row, self._said):
            self.known += 1
            return
        self._waiting.append(row)
        self.added += 1
        if len(self._waiting) >= AT_ONCE:
            self._store_waiting()

    def _store_waiting(self) -> None:
        append_decisions(self._files, self._session, self._waiting)
        self._waiting = []

    def _is_there(self, row: Table, there: Sequence[tuple[object, ...]]) -> bool:
        """Tell whether the workspace has a row that comes next, which it must where it has any."""
        place = self._met[type(row)]
        self._met[type(row)] += 1
        if place >= len(there):
            return False
        if there[place] != _value(row):
            raise self._differs(f"another {type(row).__tablename__.replace('_', ' ')}")
        return True

    def _index(self, number: int, index: int) -> int:
        if index not in self._ids or not 0 <= index < self._file.header.pool_items:
            raise self._file.wrong(number, f"no line describes the item {index}")
        return index

    def _differs(self, what: str) -> DataError:
        line = command_line("init", "NEW", "--config", "CONFIG.yaml")
        return DataError(
            f"{self._files.folder} has {what} than the file, so neither is the beginning of"
            " the other, and nothing was stored; import the file into a new workspace"
            f" (`{line}`)."
        )


def _values(rows: Iterator[Table]) -> list[tuple[object, ...]]:
    return [_value(row) for row in rows]


def _value(row: Table) -> tuple[object, ...]:
    """What a row says, in an order of its own, so that two can be compared."""
    said: tuple[object, ...] = _reader(type(row))(row)
    return said


@cache
def _reader(table: type[Table]) -> attrgetter[Any]:
    names = [column.key for column in table.__table__.columns if column.key not in OWN_ID]
    return attrgetter(*names)


def _take_labels(
    state: LoopState,
    database: Database,
    file: DecisionsFile,
    source: Source,
    match: str,
    differs: str,
) -> RecordResult:
    """Store the last word of each person on each item as a label given before.

    Args:
        state: As it is.
        database: Where they are stored.
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
                raise file.wrong(number, f"no line describes the item {line.item}")
            item_id = items[line.item].id
            rows.append(_row(line, id=number, item_index=line.item, item_id=item_id, batch=None))
    latest = {(row.item_index, row.reviewer): row for row in not_withdrawn(rows)}
    said = sorted(latest.values(), key=lambda row: row.id)
    people = [
        Answered(_decision(row), text=items[row.item_index].text)
        for row in said
        if row.kind != "machine"
    ]
    result = take(state, database, people, source, match=match)
    told = what_came(
        state.files.pool,
        file.header,
        differs,
        answers=result.added + result.unchanged,
        audit=sum(row.audit for row in said if row.kind != "machine"),
    )
    return replace(result, machine=len(said) - len(people), as_labels=told)


def _row(line: DecisionLine, **fields: Any) -> DecisionRow:  # noqa: ANN401 - of the row
    """Make a row of a line, with its item, and with what is to differ from the line."""
    said = line.model_dump(exclude={"kind", "item", "decision_kind", "labels", "shown"})
    values = {
        "value": value_from_json(line.labels),
        "shown": None if line.shown is None else value_from_json(line.shown),
    }
    return DecisionRow(**(said | values | {"kind": line.decision_kind} | fields))


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        item_id=row.item_id,
        action=cast("Action", row.action),  # the gate looks at it
        value=row.value,
        reviewer=row.reviewer,
        seconds=row.seconds,
        comment=row.comment,
        kind=row.kind if row.kind in SETTLING else "review",
        decided_at=row.decided_at,
        line=row.id,
    )
