"""JSON: one object a line, or one array of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa

from hilt.errors import DataError
from hilt.plain_files import shown
from hilt.reading.encoding import codec_of, find_undecodable, text_chunks, text_lines
from hilt.reading.json_values import MISSING, Reader, decode, flat, look_up, why_invalid
from hilt.reading.names import find_column, match_name
from hilt.reading.opening import UNREADABLE, File, unreadable
from hilt.reading.options import Options
from hilt.reading.rows import Column, Row, tables_of
from hilt.reading.values import abridged

SHOWN_LINE = 60


@dataclass(frozen=True)
class JsonRows:
    """A .jsonl, .ndjson or .json file; `open_json` makes it.

    A column inside of an object is named with dots: `data.text`.
    """

    file: File
    codec: str
    is_array: bool
    warnings: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All columns that any object has, in the order in which they first come; reads it all."""
        found = dict[str, None]()
        for row in self.rows():
            if isinstance(row.fields, Mapping):
                found.update(dict.fromkeys(row.fields))
        return tuple(found)

    def find(self, wanted: str, role: str) -> str:
        """Find a column; returns its name in `names`."""
        return find_column(wanted, self.names, place=shown(self.file.path), role=role)

    def batches(self, columns: Sequence[Column], *, fill: bool = False) -> Iterator[pa.Table]:
        """Stream columns as text.

        Args:
            columns: Which, and what they are called in the tables that come out.
            fill: Whether an object may lack a text or an id, which is then null.

        Raises:
            DataError: If a line is not an object, lacks a column or holds a value that cannot
                stand in it, or a byte is not in the encoding.
        """
        pick = _Pick(self.file.path, columns, fill)
        yield from tables_of(self.file.path, map(pick, self._records()), columns, fill=fill)
        pick.check_all_seen()

    def rows(self) -> Iterator[Row]:
        """Stream rows with all their columns, each with its line, or what is wrong with it.

        Raises:
            DataError: If a byte is not in the encoding, or the file is damaged.
        """
        for row in self._records():
            yield row if isinstance(row.fields, str) else row._replace(fields=flat(row.fields))

    def place(self, row: int) -> str:
        """Name the line of a row; in an array, its number."""
        found = next(islice(self._records(), row, None))
        return f"{self.file.path}, {found.place}"

    def _records(self) -> Iterator[Row]:
        try:
            yield from self._array() if self.is_array else self._lines()
        except UnicodeError as error:
            undecodable = find_undecodable(self.file, self.codec)
            raise undecodable or unreadable(self.file.path, error) from None
        except UNREADABLE as error:
            raise unreadable(self.file.path, error) from None

    def _lines(self) -> Iterator[Row]:
        # Only "\n" ends a line: U+2028 and its like may stand unescaped in a JSON string.
        for number, line in enumerate(text_lines(self.file, self.codec, newline="\n"), start=1):
            if line.isspace():
                continue
            try:
                value = decode(line)
            except (ValueError, RecursionError) as error:
                yield Row(number, f"not valid JSON: {why_invalid(error, in_line=True)}")
                continue
            known = isinstance(value, dict)
            told = f"{line.strip()[:SHOWN_LINE]} is not a JSON object"
            yield Row(number, value if known else told)

    def _array(self) -> Iterator[Row]:
        """Read an array object by object, in constant memory."""
        values = Reader(text_chunks(self.file, self.codec)).elements()
        number = 0
        try:
            for number, value in enumerate(values, start=1):
                known = isinstance(value, dict)
                told = f"{abridged(value)} is not a JSON object, {{...}}"
                yield Row(number, value if known else told, "record")
        except (DataError, UnicodeError):
            raise
        except (ValueError, RecursionError) as error:
            yield Row(number + 1, f"not valid JSON: {why_invalid(error, in_line=False)}", "record")


@dataclass(slots=True)
class _Pick:
    """Finds the columns that are asked for in every object, whatever others it has."""

    path: str
    columns: Sequence[Column]
    fill: bool
    _unseen: set[str]
    _first: Row | None

    def __init__(self, path: str, columns: Sequence[Column], fill: bool) -> None:
        self.path, self.columns, self.fill = path, columns, fill
        self._unseen, self._first = {column.role for column in columns}, None

    def __call__(self, row: Row) -> Row:
        """Return the row with the wanted columns alone, by the names that were asked for."""
        if isinstance(row.fields, str):
            return row
        self._first = self._first or row
        found = {}
        for column in self.columns:
            value = row.fields.get(column.name, MISSING)
            if value is MISSING:
                value = self._find(row, row.fields, column)
            elif self._unseen:
                self._unseen.discard(column.role)
            found[column.name] = value
        return Row(row.line, found, row.unit)

    def check_all_seen(self) -> None:
        """Refuse a column that no object has.

        Raises:
            DataError: If there is one.
        """
        if self._first is None or isinstance(self._first.fields, str):
            return
        for column in self.columns:
            if column.role in self._unseen:
                find_column(
                    column.name,
                    list(flat(self._first.fields)),
                    place=shown(self.path),
                    role=column.role,
                )

    def _find(self, row: Row, record: Mapping[str, Any], column: Column) -> Any:  # noqa: ANN401
        value = look_up(record, column.name)
        if value is MISSING:
            names = flat(record)
            found = match_name(column.name, names)
            if found is None:
                if column.kind in ("text", "id") and not self.fill:
                    place = f"{shown(self.path)}, {row.place}"
                    find_column(column.name, list(names), place=place, role=column.role)
                return None
            value = names[found]
        self._unseen.discard(column.role)
        return value


def open_json(file: File, options: Options) -> JsonRows:
    """Tell JSON Lines from an array.

    Raises:
        DataError: If it is one object over several lines.
        ConfigError: If an option is wrong.
    """
    codec = codec_of(file, options.encoding)
    start = file.head.decode(codec, "replace").lstrip()
    if start.split("\n", 1)[0].strip() == "{":
        raise DataError(
            f"{shown(file.path)}, line 1: an object goes on over several lines; write one object a"
            " line, or an array of objects, [{...}, {...}]."
        )
    return JsonRows(file, codec, is_array=start.startswith("["))
