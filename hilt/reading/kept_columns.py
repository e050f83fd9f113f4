"""All columns of a table, to be written again beside what was found out about its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from hilt.reading.names import name_key
from hilt.reading.rows import Column
from hilt.reading.table import Table
from hilt.reading.values import Kind


@dataclass(frozen=True, slots=True)
class KeptColumns:
    """The columns of a table under names that leave others free; `kept_columns` makes it.

    Attributes:
        table: The table.
        read: The columns of which items are made.
        new_names: What each column is to be called, in the order of the file.
        typed: Whether columns keep the types that Parquet gives them, or are text.
    """

    table: Table
    read: tuple[str, ...]
    new_names: Mapping[str, str]
    typed: bool

    def count_rows(self) -> int:
        """Count the rows; a row that cannot be read is found before any work is done.

        Raises:
            DataError: If there is one.
        """
        return sum(map(len, self.table.batches(self._read, fill=True)))

    def blocks(self, size: int) -> Iterator[tuple[list[tuple[str | None, ...]], pa.Table]]:
        """Stream the values of which items are made, null where there is none, with their rows.

        Args:
            size: Rows in a block, at most.

        Raises:
            DataError: If a row cannot be read.
        """
        kind: Kind = "raw" if self.typed else "any"
        columns = [Column(name, new, kind) for name, new in self.new_names.items()]
        roles = [each.role for each in self._read]
        for batch in self.table.batches([*self._read, *columns], fill=True):
            for start in range(0, len(batch), size):
                block = batch.slice(start, size)
                values = (block.column(role).to_pylist() for role in roles)
                yield list(zip(*values, strict=True)), block.drop_columns(roles)

    def empty(self) -> pa.Table:
        """Make a table without rows."""
        return pa.table({new: pa.array([], pa.string()) for new in self.new_names.values()})

    @property
    def _read(self) -> list[Column]:
        # No column of a file is called so.
        return [Column(name, f"--{place}", "text") for place, name in enumerate(self.read)]


def kept_columns(
    table: Table, read: Mapping[str, str], taken: Iterable[str], *, typed: bool = False
) -> KeptColumns:
    """Find names for the columns of a table beside new ones.

    Args:
        table: The table.
        read: The columns of which items are made, with what names each, for messages.
        taken: The names of the new columns; a column that is called so, in capitals or not,
            becomes `input_NAME`.
        typed: Whether columns keep the types that Parquet gives them.

    Raises:
        DataError: If one of the columns to read is not there.
    """
    names, found = table.names or tuple(read), tuple(read)
    if table.names:
        found = tuple(table.find(name, named_by) for name, named_by in read.items())
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
    return KeptColumns(table, found, new_names, typed)
