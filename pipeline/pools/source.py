"""Where items come from: the columns of a table that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.source import Source
from hilt.reading.options import Options
from hilt.reading.rows import Column
from hilt.reading.table import Table, open_table
from hilt.review.answers.cell import AnswerCell


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
        """Stream the columns that the source names, as strings.

        They are called `id`, as the medium's columns are, and `label`.

        Nulls stand where the source has none; the caller decides what they mean.

        Raises:
            DataError: If a column is missing, or a row cannot be read.
        """
        return self.table.batches(self.columns)

    def place(self, row: int) -> str:
        """Say where a row (from 0) stands, for messages: `data.csv, line 12`."""
        return self.table.place(row)


def open_source(source: Source, medium: Medium = TEXT, known: AnswerCell | None = None) -> Reader:
    """Open the table of a source, and find out how it is written.

    Args:
        source: Where items come from.
        medium: What they are.
        known: How known answers are written; None where a label may be anything.

    Raises:
        DataError: If it cannot be read.
        ConfigError: If an option is wrong.
    """
    kind = "label" if known is None else known.kind
    contents = (Column(source.column_of(name), name, "text") for name in medium.columns)
    columns = (
        *([] if source.id is None else [Column(source.id, "id", "id")]),
        *contents,
        *([] if source.label is None else [Column(source.label, "label", kind)]),
    )
    options = Options(
        encoding=source.encoding,
        delimiter=source.delimiter,
        quoting=source.quoting,
        split=source.split,
        wanted=tuple(column.name for column in columns),
    )
    return Reader(open_table(source.path, options), columns)
