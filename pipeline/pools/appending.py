"""Rows that were added to a source, taken into the pool that was read from it before.

A row is known by its id, or by its text where ids are made from texts. Items that are there keep
their ids and indices, whatever the order of the rows; what the source no longer has stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hilt.blocks import blocks
from hilt.errors import ConfigError, DataError
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.building import (
    WRITE_ROWS,
    Scan,
    copy_rows,
    count_copies,
    made_ids,
    refuse_repeated_ids,
)
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.pools.record import Earlier, PoolSummary, part_path, source_file, write_record
from hilt.pipeline.pools.row_check import RowCheck
from hilt.pipeline.pools.same_text import Hashes, find_repeats, hash_texts
from hilt.pipeline.pools.source import open_source
from hilt.review.answers.cell import AnswerCell
from hilt.tasks.base import Task
from hilt.types import Integers

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the rows of a source differ from the items of a pool.

    Attributes:
        new: Rows that are no items yet.
        gone: Items of which the source has no row.
        changed: Rows that have the id of an item, but another text.
        first_changed: What is wrong with the first of those, with its place; empty without any.
    """

    new: int
    gone: int
    changed: int = 0
    first_changed: str = ""

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.changed)


def compare(pool: Pool, source: Source, task: Task, scratch: Path) -> Comparison:
    """Read a source again, and say how it differs from the pool; nothing is changed.

    Args:
        pool: The items.
        source: Where rows come from.
        task: What known answers are.
        scratch: A folder that may be made, and is removed.

    Raises:
        DataError: If the source cannot be used.
        ConfigError: If it has an answer key and the pool has none, or the other way round.
    """
    with _Rows(pool, source, task, scratch) as rows:
        return rows.compared()


def append(
    pool: Pool,
    source: Source,
    task: Task,
    scratch: Path,
    note: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Append the rows of a source that are no items yet, in their order; all or nothing.

    Args:
        pool: The items; to see the new ones it must be opened again.
        source: Where rows come from: those of before and more, or new ones alone.
        task: What known answers are.
        scratch: A folder that may be made, and is removed.
        note: Told what may have been read otherwise than it was meant.

    Raises:
        DataError: If the source cannot be used, or the text of an item has changed in it.
        ConfigError: If it has an answer key and the pool has none, or the other way round.
    """
    with _Rows(pool, source, task, scratch) as rows:
        for warning in rows.reader.warnings:
            note(warning)
        found = rows.compared()
        if found.changed:
            more = f" The same is true of {found.changed - 1:,} more." if found.changed > 1 else ""
            raise DataError(
                f"{found.first_changed}{more} The text of an item never changes: restore the text,"
                " or give the row an id of its own."
            )
        summary = rows.written() if found.new else pool.summary
        write_record(pool.folder, replace(summary, source=rows.read))
        return found


class _Rows:
    """The rows of a source, copied to a scratch folder, and which items they are."""

    def __init__(self, pool: Pool, source: Source, task: Task, scratch: Path) -> None:
        if pool.has_answer_key != (source.label is not None):
            had = "has" if pool.has_answer_key else "has no"
            raise ConfigError(
                f"pool.label is {source.label!r}, but the pool {had} known labels; appended rows"
                " must be read in the same way."
            )
        known = AnswerCell(task)
        self.reader = open_source(source, pool.medium, known)
        self.read = source_file(source.path)
        self._pool, self._scratch = pool, scratch
        self._table: Any = None  # a pyarrow.Table, which has no types; None without rows
        self._made: tuple[Hashes, npt.NDArray[np.int64]] | None = None  # where ids come from texts
        self._check = RowCheck(source, self.reader, known, pool.medium)

    def __enter__(self) -> _Rows:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        try:
            self._find()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _find(self) -> None:
        """Copy the rows, and find the item of each: `index`, shape (n_rows,), UNKNOWN for none."""
        import datasets

        self._scan = copy_rows(self.reader, self._check, self._scratch / "rows.arrow")
        if not self._scan.items:
            self._index = np.empty(0, dtype=np.int64)
            return
        rows = datasets.Dataset.from_file(str(self._scratch / "rows.arrow"))
        self._table = rows.data.table
        hashes = np.concatenate(self._scan.ids)
        first, repeats = find_repeats(hashes)
        if "id" in rows.column_names:
            refuse_repeated_ids(rows, self.reader, first)
        else:
            self._made = hashes, repeats
            hashes = _hashed(self.ids(block) for block in blocks(len(hashes), WRITE_ROWS))
        known = _hashed(self._pool.ids(block) for block in blocks(len(self._pool), WRITE_ROWS))
        order = np.argsort(known, kind="stable")
        places = np.minimum(np.searchsorted(known[order], hashes), len(known) - 1)
        self._index = np.where(known[order[places]] == hashes, order[places], UNKNOWN)

    def ids(self, where: slice) -> list[str]:
        """Read, or make, the ids of some rows."""
        if self._made is None:
            return self._column("id", where)
        hashes, repeats = self._made
        return made_ids(hashes[where], repeats[where])

    def compared(self) -> Comparison:
        """Say how the rows differ from the items."""
        known = self._index != UNKNOWN
        changed = [] if self._table is None or self._made is not None else [*self._changed()]
        return Comparison(
            new=int((~known).sum()),
            gone=len(self._pool) - int(known.sum()),
            changed=len(changed),
            first_changed=self._say_changed(changed[0]) if changed else "",
        )

    def _changed(self) -> Iterator[int]:
        """Yield the rows that have another content than the item of the same id."""
        for block in blocks(len(self._index), WRITE_ROWS):
            rows = np.flatnonzero(self._index[block] != UNKNOWN)
            here = self._values(block)
            there = zip(*self._pool.values(self._index[block][rows]), strict=True)
            for row, values in zip(rows.tolist(), there, strict=True):
                if here[row] != values:
                    yield block.start + row

    def _say_changed(self, row: int) -> str:
        one = slice(row, row + 1)
        medium, there = self._pool.medium, self._pool.texts(self._index[one])[0]
        here = medium.text(medium.read(*self._values(one)[0]))
        return (
            f"{self.reader.place(row)}: the text of {self.ids(one)[0][:80]!r} is {here[:80]!r}, but"
            f" was {there[:80]!r} when the pool was read."
        )

    def written(self) -> PoolSummary:
        """Write the rows that are no items yet as one more part of the pool."""
        pool, old = self._pool, len(self._pool)
        new = np.flatnonzero(self._index == UNKNOWN)
        groups = self._groups(new)
        scan = _digest_pool(pool)
        part = part_path(pool.folder, len(pool.summary.earlier) + 2)
        medium = pool.medium
        names = [name for name in (*medium.columns, "label") if name in self._table.column_names]
        schema = pa.schema(
            [("id", pa.string()), *((name, pa.string()) for name in names), ("group", pa.int64())]
        )
        unfinished = self._scratch / part.name
        empty = 0
        with pa.ipc.new_stream(str(unfinished), schema) as writer:
            for block in blocks(len(self._index), WRITE_ROWS):
                rows = new[(new >= block.start) & (new < block.stop)] - block.start
                if not len(rows):
                    continue
                columns = {"id": self.ids(block)} | {n: self._column(n, block) for n in names}
                chosen = {name: [values[row] for row in rows] for name, values in columns.items()}
                for name, values in chosen.items():
                    scan.digest(name, values)
                contents = map(medium.read, *(chosen[name] for name in medium.columns))
                empty += sum(map(medium.is_empty, contents))
                done = np.searchsorted(new, block.start)
                writer.write_table(
                    pa.table({**chosen, "group": groups[done : done + len(rows)]}, schema=schema)
                )
        unfinished.replace(part)
        empty_texts = pool.summary.empty_texts + empty
        return PoolSummary(
            items=old + len(new),
            empty_texts=empty_texts,
            exact_duplicates=count_copies(np.append(pool.groups, groups), empty_texts),
            fingerprint=scan.fingerprint(),
            earlier=(*pool.summary.earlier, Earlier(old, pool.fingerprint)),
        )

    def _groups(self, new: Integers) -> npt.NDArray[np.int64]:
        """Find the first item with the same key as each new row."""
        pool, old = self._pool, len(self._pool)
        there = _hashed(
            map(pool.medium.key, pool.contents(block)) for block in blocks(old, WRITE_ROWS)
        )
        first, _ = find_repeats(np.append(there, np.concatenate(self._scan.groups)[new]))
        groups = first[old:]
        return np.where(groups < old, pool.groups[np.minimum(groups, old - 1)], groups)

    def _values(self, where: slice) -> list[tuple[str, ...]]:
        columns = (self._column(name, where) for name in self._pool.medium.columns)
        return list(zip(*columns, strict=True))

    def _column(self, name: str, where: slice) -> list[str]:
        values: list[str] = (
            self._table.column(name).slice(where.start, where.stop - where.start).to_pylist()
        )
        return values


def _hashed(parts: Iterable[Iterable[str]]) -> Hashes:
    return np.concatenate([hash_texts(part) for part in parts])


def first_fingerprints(pool: Pool, items: int) -> set[str]:
    """Say what the fingerprint of the first items would be as a pool of their own.

    Returns:
        Both that of a file with ids, and that of one without, whose ids are made from its texts.
    """
    scan = _digest_pool(pool, items)
    with_ids = scan.fingerprint()
    del scan.digests["id"]
    return {with_ids, scan.fingerprint()}


def _digest_pool(pool: Pool, items: int | None = None) -> Scan:
    """Digest the first items of a pool, all by default, so that others can be added."""
    scan = Scan()
    for block in blocks(len(pool) if items is None else items, WRITE_ROWS):
        for name, values in pool.columns(block).items():
            scan.digest(name, values)
    return scan
