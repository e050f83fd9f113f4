"""All columns of a table, to be written again beside what was found out about its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from hilt.reading.names import name_key
from hilt.reading.rows import Column
from hilt.reading.table import Table
from hilt.reading.values import Kind

# How a message names the option with the text; no column of a file is called so.
TEXT = "--text"


@dataclass(frozen=True, slots=True)
class KeptColumns:
    """The columns of a table under names that leave others free; `kept_columns` makes it.

    Attributes:
        table: The table.
        text: The column with the text.
        new_names: What each column is to be called, in the order of the file.
        typed: Whether columns keep the types that Parquet gives them, or are text.
    """

    table: Table
    text: str
    new_names: Mapping[str, str]
    typed: bool

    def count_rows(self) -> int:
        """Count the rows; a row that cannot be read is found before any work is done.

        Raises:
            DataError: If there is one.
        """
        return sum(map(len, self.table.batches([self._text], fill=True)))

    def blocks(self, size: int) -> Iterator[tuple[list[str | None], pa.Table]]:
        """Stream the texts, null where there is none, with all columns of their rows.

        Args:
            size: Rows in a block, at most.

        Raises:
            DataError: If a row cannot be read.
        """
        kind: Kind = "raw" if self.typed else "any"
        columns = [Column(name, new, kind) for name, new in self.new_names.items()]
        for batch in self.table.batches([self._text, *columns], fill=True):
            for start in range(0, len(batch), size):
                block = batch.slice(start, size)
                yield block.column(TEXT).to_pylist(), block.drop_columns([TEXT])

    def empty(self) -> pa.Table:
        """Make a table without rows."""
        return pa.table({new: pa.array([], pa.string()) for new in self.new_names.values()})

    @property
    def _text(self) -> Column:
        return Column(self.text, TEXT, "text")


def kept_columns(
    table: Table, text: str, taken: Iterable[str], *, typed: bool = False
) -> KeptColumns:
    """Find names for the columns of a table beside new ones.

    Args:
        table: The table.
        text: The column with the text.
        taken: The names of the new columns; a column that is called so, in capitals or not,
            becomes `input_NAME`.
        typed: Whether columns keep the types that Parquet gives them.

    Raises:
        DataError: If there is no column with the text.
    """
    names = table.names or (text,)
    if table.names:
        text = table.find(text, TEXT)
    reserved = set(map(name_key, taken))
    used = reserved | set(map(name_key, names))
    new_names = {}
    for name in names:
        new, number = name, 2
        if name_key(name) in reserved:
            new = f"input_{name}"
            while name_key(new) in used:
                new, number = f"input_{name}.{number}", number + 1
            used.add(name_key(new))
        new_names[name] = new
    return KeptColumns(table, text, new_names, typed)
