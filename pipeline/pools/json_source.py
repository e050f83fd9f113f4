"""JSON Lines: one object a line, read line by line so that every complaint names its line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.columns import check_columns, wanted_columns
from hilt.pipeline.pools.text_lines import UNREADABLE, codec_of, find_undecodable, open_bytes

BATCH_ROWS = 16384

Lines = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class JsonSource:
    """A .jsonl file, plain or gzipped.

    A text is a string; an id or a label may also be a whole number; a label may be null or
    missing, which means that it is unknown.
    """

    source: Source

    def batches(self) -> Iterator[pa.Table]:
        """Stream the wanted columns as text, under their names in the pool.

        Raises:
            DataError: If a line is not an object, lacks a column or holds a value that is not
                text, or a byte is not in the encoding.
        """
        try:
            lines = self._lines()
            first = True
            while numbered := list(islice(lines, BATCH_ROWS)):
                yield self._table(numbered, first=first)
                first = False
        except UnicodeDecodeError as error:
            undecodable = find_undecodable(self.source)
            raise undecodable or DataError(f"{self.source.path}: {error}") from None
        except UNREADABLE as error:
            raise DataError(f"{self.source.path} cannot be read: {error}.") from None

    def place(self, row: int) -> str:
        """Name the line of a row."""
        line = next(line for number, (line, _) in enumerate(self._lines()) if number == row)
        return self._at(line)

    def _lines(self) -> Iterator[tuple[int, str]]:
        # Only "\n" ends a line: U+2028 and its like may stand unescaped in a JSON string.
        with (
            open_bytes(self.source.path) as file,
            io.TextIOWrapper(file, codec_of(self.source), newline="\n") as text,
        ):
            for number, line in enumerate(text, start=1):
                if not line.isspace():
                    yield number, line

    def _table(self, lines: Lines, *, first: bool) -> pa.Table:
        records = [self._record(number, line) for number, line in lines]
        if first:
            check_columns(self.source, list(records[0]), place=self._at(lines[0][0]))
        columns = {
            role: [
                self._value(role, column, record, number)
                for record, (number, _) in zip(records, lines, strict=True)
            ]
            for role, column in wanted_columns(self.source).items()
        }
        try:
            return pa.table({role: pa.array(values) for role, values in columns.items()})
        except UnicodeEncodeError as error:
            # Only an escape such as "\ud800", half of a pair, decodes but cannot be stored.
            row = next(
                values.index(error.object) for values in columns.values() if error.object in values
            )
            raise DataError(
                f"{self._at(lines[row][0])}: {error.object[:60]!r} holds half of a surrogate pair,"
                " which is not text."
            ) from None

    def _record(self, number: int, line: str) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self._at(number)}: not valid JSON: {error}.") from None
        if not isinstance(record, dict):
            raise DataError(
                f"{self._at(number)}: {line.strip()[:60]!r} is not a JSON object; a line looks"
                f' like {{"{self.source.text}": "..."}}.'
            )
        return record

    def _value(self, role: str, column: str, record: dict[str, Any], number: int) -> str:
        value = record.get(column)
        if isinstance(value, str):
            return value
        if role != "text" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if role == "label" and value is None:
            return ""
        if column not in record:
            check_columns(self.source, list(record), place=self._at(number))
        allowed = "a string" if role == "text" else "a string or a whole number"
        raise DataError(
            f"{self._at(number)}: {column!r} is {json.dumps(value)[:60]}; it must be {allowed}."
        )

    def _at(self, number: int) -> str:
        return f"{self.source.path}, line {number}"
