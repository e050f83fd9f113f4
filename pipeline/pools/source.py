"""Where items come from: the columns of a table that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from hilt.pipeline.configuration.source import Source
from hilt.reading.options import Options
from hilt.reading.rows import Column
from hilt.reading.table import Table, open_table
from hilt.reading.values import Kind


@dataclass(frozen=True, slots=True)
class Reader:
    """Streams a source in its own order, in constant memory."""

    table: Table
    columns: tuple[Column, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what may have been read otherwise than it was meant."""
        return self.table.warnings

    def batches(self) -> Iterator[pa.Table]:
        """Stream the columns that the source names, as strings called `id`, `text`, `label`.

        Nulls stand where the source has none; the caller decides what they mean.

        Raises:
            DataError: If a column is missing, or a row cannot be read.
        """
        return self.table.batches(self.columns)

    def place(self, row: int) -> str:
        """Say where a row (from 0) stands, for messages: `data.csv, line 12`."""
        return self.table.place(row)


def open_source(source: Source) -> Reader:
    """Open the table of a source, and find out how it is written.

    Raises:
        DataError: If it cannot be read.
        ConfigError: If an option is wrong.
    """
    named = {"id": source.id, "text": source.text, "label": source.label}
    columns = tuple(
        Column(column, role, cast("Kind", role))
        for role, column in named.items()
        if column is not None
    )
    options = Options(
        encoding=source.encoding,
        delimiter=source.delimiter,
        quoting=source.quoting,
        split=source.split,
        wanted=tuple(column.name for column in columns),
    )
    return Reader(open_table(source.path, options), columns)
