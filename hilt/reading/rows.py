"""Rows of any kind of file, and the way from rows to tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from hilt.errors import DataError
from hilt.plain_files import shown
from hilt.reading.values import Kind, WrongValueError, abridged, as_text, encodable

BATCH_ROWS = 16384
BATCH_CHARACTERS = 64 << 20
SHOWN_TEXT = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is asked for.

    Attributes:
        name: What it is called in the file, or nearly.
        role: What it is called in the tables that come out, and in messages.
        kind: What it must hold: a `text`, an `id`, a `label`, or `any` value, written as text;
            `raw` leaves Parquet and saved datasets the types that they have.
    """

    name: str
    role: str
    kind: Kind = "any"


class Row(NamedTuple):
    """One row; a tuple, because there are millions of them.

    Attributes:
        line: The line on which it begins; the number of the row where a file has no lines.
        fields: The values by the names of the columns, or what is wrong with the row as a whole.
        unit: What `line` counts: `line`, `row` or `record`.
    """

    line: int
    fields: Mapping[str, Any] | str
    unit: str = "line"

    @property
    def place(self) -> str:
        """Where it stands: `line 12`."""
        return f"{self.unit} {self.line}"


def tables_of(
    path: str, rows: Iterable[Row], columns: Sequence[Column], *, fill: bool = False
) -> Iterator[pa.Table]:
    """Turn rows into tables of text, in constant memory.

    Args:
        path: What messages begin with.
        rows: Their fields are found by the `name` of a column.
        columns: What to take.
        fill: Whether a value that cannot stand in its column is null.

    Raises:
        DataError: For the first row that is wrong as a whole, or holds a value that cannot stand
            in its column.
    """
    chunk = _Chunk(path, columns, fill)
    for row in rows:
        chunk.add(row)
        if chunk.is_full:
            yield chunk.table()
            chunk = _Chunk(path, columns, fill)
    if chunk.rows:
        yield chunk.table()


class _Chunk:
    """Some rows, and their values column by column."""

    def __init__(self, path: str, columns: Sequence[Column], fill: bool) -> None:
        self.rows: list[Row] = []
        self._path, self._fill = path, fill
        self._values: list[tuple[Column, list[str | None]]] = [(each, []) for each in columns]
        self._characters = 0

    @property
    def is_full(self) -> bool:
        """Whether the rows are many, or long."""
        return len(self.rows) >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS

    def add(self, row: Row) -> None:
        """Take the values of a row; raise DataError if one is wrong."""
        fields = row.fields
        if isinstance(fields, str):
            raise DataError(f"{shown(self._path)}, {row.place}: {fields}.")
        self.rows.append(row)
        for column, values in self._values:
            value = fields.get(column.name)
            if not isinstance(value, str):
                value = _as_text(self._path, row, column, value, self._fill)
            values.append(value)
            self._characters += len(value or "")

    def table(self) -> pa.Table:
        """Make a table of the values."""
        return pa.table(
            {column.role: _strings(self._path, self.rows, each) for column, each in self._values}
        )


def _as_text(path: str, row: Row, column: Column, value: Any, fill: bool) -> str | None:  # noqa: ANN401
    try:
        return as_text(value, column.kind)
    except WrongValueError as error:
        if fill:
            return as_text(value, "any") if isinstance(value, int | float) else None
        raise DataError(
            f"{shown(path)}, {row.place}: {column.name!r} is {abridged(value)}; {error}."
        ) from None


def _strings(path: str, chunk: Sequence[Row], texts: list[str | None]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        # Only an escape such as "\ud800", half of a pair, decodes but cannot be stored.
        row, text = next(
            (row, text)
            for row, text in zip(chunk, texts, strict=True)
            if text is not None and not encodable(text)
        )
        raise DataError(
            f"{shown(path)}, {row.place}: {text[:SHOWN_TEXT]!r} holds half of a surrogate pair,"
            " which is not text."
        ) from None
