"""The pool of a workspace: all items in a fixed order, memory-mapped and frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hilt.blocks import blocks
from hilt.command_line import command_line
from hilt.errors import DataError, WorkspaceError
from hilt.media.base import Columnar, Medium
from hilt.media.shown import Shown
from hilt.media.text import TEXT
from hilt.pipeline.pools.record import RECORD, Earlier, PoolSummary, item_files, read_record
from hilt.review.answers.base import WrongCellError
from hilt.review.answers.cell import AnswerCell
from hilt.tasks.base import Task
from hilt.types import Content, Integers, Items, Value

UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)

Where = slice | Integers | Sequence[int]
T = TypeVar("T")


@dataclass(frozen=True)
class Pool:
    """The items in a folder that `build_pool` made; open one with `Pool.open`.

    An *index* is a position in the pool. `where` is a slice or an array of indices. Items may be
    appended (`appending.py`); those that are there keep their indices.
    """

    folder: Path
    summary: PoolSummary
    medium: Medium = TEXT

    @classmethod
    def open(cls, folder: Path, medium: Medium = TEXT) -> Pool:
        """Open a pool; items are mapped into memory when they are first asked for.

        Args:
            folder: Where it is.
            medium: What its items are.

        Raises:
            WorkspaceError: If the folder holds no pool.
        """
        try:
            return cls(folder, read_record(folder), medium)
        except UNREADABLE as error:
            fault = _in_words(error, folder / RECORD)
            raise WorkspaceError(f"{fault}; {_way_on(folder)}.") from None

    def __len__(self) -> int:
        return self.summary.items

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all ids, contents and known labels, in order."""
        return self.summary.fingerprint

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """That of the pool, and before it those of what it was before items were appended."""
        return (*(each.fingerprint for each in self.summary.earlier), self.fingerprint)

    def began_as(self, fingerprint: str, items: int) -> bool:
        """Tell whether another pool, of so many items, is this one or the beginning of it."""
        return Earlier(items, fingerprint) in (
            *self.summary.earlier,
            Earlier(len(self), self.fingerprint),
        )

    def earlier_makers(self, maker: Mapping[str, Any]) -> list[Any]:
        """Say what the maker of an array was before items were appended, the newest first."""
        return [
            _replaced(maker, self.fingerprint, each.fingerprint)
            for each in reversed(self.summary.earlier)
        ]

    def ids(self, where: Where) -> list[str]:
        """Read identifiers."""
        return self._read("id", where)

    def contents(self, where: Where) -> list[Content]:
        """Read what the items are."""
        return list(map(self.medium.read, *self.values(where)))

    def values(self, where: Where) -> list[list[str]]:
        """Read the columns of the medium, of which contents are made."""
        return [self._read(name, where) for name in self.medium.columns]

    def texts(self, where: Where) -> list[str]:
        """Read the items as one text each: for lists, messages and files of answers."""
        return list(map(self.medium.text, self.contents(where)))

    def likenesses(self, where: Where) -> list[str]:
        """Read of each item the text whose words tell near-duplicates."""
        return list(map(self.medium.likeness, self.contents(where)))

    def shown(self, where: Where) -> list[Shown]:
        """Read what a person sees of the items."""
        return list(map(self.medium.shown, self.contents(where)))

    @cached_property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Shape (n_items,): how much there is to read of each item, in characters."""
        if isinstance(self.medium, Columnar):
            return self.medium.sizes(self._table)
        return np.fromiter(self._each(self.medium.size), np.int32, len(self))

    @cached_property
    def empty(self) -> npt.NDArray[np.int64]:
        """Ascending indices of the items in which there is nothing to label."""
        if not self.summary.empty_texts:
            return np.empty(0, dtype=np.int64)
        if isinstance(self.medium, Columnar):
            return np.flatnonzero(self.medium.empties(self._table))
        return np.flatnonzero(np.fromiter(self._each(self.medium.is_empty), bool, len(self)))

    def _each(self, measure: Callable[[Content], T]) -> Iterator[T]:
        for block in blocks(len(self)):
            yield from map(measure, self.contents(block))

    def columns(self, where: Where) -> dict[str, list[str]]:
        """Read what the source gave: `id`, the medium's columns, and `label` where it is known."""
        names = ("id", *self.medium.columns, *(("label",) if self.has_answer_key else ()))
        return {name: self._read(name, where) for name in names}

    def items(self, where: Where) -> Items:
        """Read items, without embeddings."""
        return Items(self.ids(where), self.contents(where))

    @cached_property
    def groups(self) -> npt.NDArray[np.int64]:
        """Shape (n_items,): the index of the first item with the same key, as a same text has."""
        groups: npt.NDArray[np.int64] = _numbers(self._table.column("group"))
        groups.flags.writeable = False
        return groups

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """Find the indices of items by their identifiers; unknown ones are left out.

        Every call scans the ids (a second for ten million), so ask for many at once.
        """
        wanted = list(dict.fromkeys(ids))
        places = _places(self._table.column("id"), wanted)
        return {wanted[places[row]]: int(row) for row in np.flatnonzero(places >= 0)}

    def index_of(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Find the indices of items by their identifiers, all of which must be there.

        Returns:
            Shape (len(ids),), in the order of `ids`.

        Raises:
            DataError: If an id is not in the pool.
        """
        found = self.find(ids)
        for item_id in ids:
            if item_id not in found:
                raise DataError(f"No item of the pool has the id {item_id!r}.")
        return np.array([found[item_id] for item_id in ids], dtype=np.int64)

    @property
    def has_answer_key(self) -> bool:
        """Whether the source came with known labels."""
        return "label" in self._table.column_names

    def known_answers(self, task: Task) -> dict[int, Value]:
        """Read the known answers: by the index of each item that has one, ascending."""
        if not self.has_answer_key:
            return {}
        cell, found = AnswerCell(task), self._table.column("label").unique().to_pylist()
        read = {written: _answer(cell, written) for written in found}
        values = map(read.__getitem__, self._read("label", slice(None)))
        return {index: value for index, value in enumerate(values) if value is not None}

    @cached_property
    def _table(self) -> Any:  # noqa: ANN401 - a pyarrow.Table, which has no types
        fault, table = _look(self.folder, self.summary)
        if fault is not None:
            raise WorkspaceError(f"{fault}; {_way_on(self.folder)}.")
        return table

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        lengths = [len(chunk) for chunk in self._table.column("id").chunks]
        return np.cumsum([0, *lengths[:-1]], dtype=np.int64)

    def _read(self, name: str, where: Where) -> list[str]:
        column = self._table.column(name)
        if isinstance(where, slice):
            start, stop, step = where.indices(len(self))
            if step == 1:
                return list(column.slice(start, max(0, stop - start)).to_pylist())
            where = range(start, stop, step)
        return self._take(column, np.asarray(where, dtype=np.int64))

    def _take(self, column: Any, indices: npt.NDArray[np.int64]) -> list[str]:  # noqa: ANN401
        """Read chunk by chunk: pyarrow's own `take` fails on more than 2 GB of text."""
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"indices range from {indices.min()} to {indices.max()}")
        order = np.argsort(indices, kind="stable")
        chunks = np.searchsorted(self._starts, indices[order], side="right") - 1
        taken = np.empty(len(indices), dtype=object)
        for rows in np.split(np.arange(len(order)), np.flatnonzero(np.diff(chunks)) + 1):
            if len(rows):
                number = chunks[rows[0]]
                local = _integers(indices[order[rows]] - self._starts[number])
                taken[order[rows]] = column.chunk(int(number)).take(local).to_pylist()
        return list(taken)


# What `pa.array` and `to_numpy` do, without pandas, whose import takes longer than most commands.


def _numbers(column: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - pyarrow has no types
    return np.from_dlpack(column.combine_chunks())


def _integers(values: npt.NDArray[np.int64]) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def _places(column: Any, values: Sequence[str]) -> npt.NDArray[np.int64]:  # noqa: ANN401 - as above
    """Find each text of a column among some values: shape (n,), -1 where it is none of them."""
    encoded = [value.encode("utf-8", "replace") for value in values]  # no item has half a surrogate
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    known = pa.Array.from_buffers(pa.string(), len(encoded), buffers)
    found = pc.index_in(column, known)
    places = np.full(len(column), -1, dtype=np.int64)
    places[np.flatnonzero(_numbers(found.is_valid().cast(pa.int8())))] = _numbers(found.drop_null())
    return places


def _replaced(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - anything that JSON can hold
    """Put `new` in the place of `old`, however deep it stands."""
    if isinstance(value, Mapping):
        return {key: _replaced(each, old, new) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(each, old, new) for each in value]
    return new if value == old else value


def find_fault(folder: Path) -> str | None:
    """Read all of a pool, and say in a clause what is wrong with it; None where nothing is."""
    try:
        summary = read_record(folder)
    except UNREADABLE:
        return f"{folder / RECORD} is gone or damaged"
    return _look(folder, summary, thorough=True)[0]


def _look(folder: Path, summary: PoolSummary, *, thorough: bool = False) -> tuple[str | None, Any]:
    """Map the items of a pool into memory.

    Returns:
        What is wrong with the files, in a clause, and None; or None and a pyarrow.Table.
    """
    try:
        for name, content in summary.files.items():
            difference = content.difference(folder / name, thorough=thorough)
            if difference is not None:
                return f"{folder / name} {difference}", None
        first, *more = map(_map, item_files(folder, len(summary.earlier)))
        table = pa.concat_tables([first, *(part.select(first.column_names) for part in more)])
    except (OSError, ValueError, KeyError) as error:
        return _in_words(error, folder), None
    if table.num_rows != summary.items:
        return f"{folder} holds {table.num_rows:,} items instead of {summary.items:,}", None
    return None, table


def _answer(cell: AnswerCell, written: str) -> Value | None:
    """Read a known answer; None where it is unknown, or of labels that are no longer listed."""
    try:
        return cell.read(written) if written else None
    except WrongCellError:
        return None


def _in_words(error: Exception, path: Path) -> str:
    """Say in a clause why a file of a pool, or the folder of them, cannot be read."""
    if isinstance(error, FileNotFoundError):
        return f"{error.filename or path} is gone"
    if isinstance(error, OSError) and error.strerror is not None:
        return f"{error.filename or path} cannot be read: {error.strerror}"
    return f"{path} is damaged: its content is not what was written"


def _map(path: Path) -> Any:  # noqa: ANN401 - a pyarrow.Table, which has no types
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_stream(source).read_all()


def _way_on(folder: Path) -> str:
    workspace = folder.parent
    line = command_line("init", workspace, "--config", workspace / "hilt.yaml")
    return f"run `{line}`, which reads it again from its source"
