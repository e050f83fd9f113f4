"""Which rows of a source are refused, with the place where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from hilt.errors import DataError
from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.source import Source, TestSource
from hilt.pipeline.pools.source import Reader
from hilt.reading.names import NameIndex, label_listing, spellings
from hilt.registry import nearest
from hilt.types import Content


@dataclass(frozen=True)
class RowCheck:
    """Refuses rows that cannot be used."""

    source: Source
    reader: Reader
    labels: tuple[str, ...] | None
    medium: Medium = TEXT

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.labels or ())

    def check(self, batch: pa.Table, first_row: int) -> pa.Table:
        """Return the batch without nulls; raise DataError for the first row that is wrong."""
        for name in self.medium.columns:
            missing = batch.column(name).is_null()
            self._refuse(missing, first_row, f"the {name} is missing (null)")
        columns = {name: batch.column(name).fill_null("") for name in batch.column_names}
        if "id" in columns:
            blank = pc.equal(pc.utf8_trim_whitespace(columns["id"]), "")
            self._refuse(blank, first_row, f"the id (column {self.source.id!r}) is empty")
        if "label" in columns:
            columns["label"] = self._check_labels(columns["label"], first_row)
        return pa.table(columns)

    def check_contents(self, contents: Sequence[Content], first_row: int) -> None:
        """Raise DataError for the first content that can be no item."""
        for row, content in enumerate(contents, start=first_row):
            problem = self.medium.problem(content)
            if problem is not None:
                raise DataError(f"{self.reader.place(row)}: {problem}.")

    def _check_labels(self, labels: pa.ChunkedArray, first_row: int) -> pa.ChunkedArray:
        """Return the labels as the configuration spells them."""
        if self.labels is not None:
            labels = self._spelt(labels, first_row)
        if isinstance(self.source, TestSource):
            what = (
                f"the label (column {self.source.label!r}) is empty, but `test` needs every label"
            )
            self._refuse(pc.equal(labels, ""), first_row, what)
        return labels

    def _spelt(self, labels: pa.ChunkedArray, first_row: int) -> pa.ChunkedArray:
        names = self.labels or ()
        found = labels.unique()
        spelt = [self._names.match(name) if name.strip() else "" for name in found.to_pylist()]
        if None in spelt:
            strange = pc.is_in(labels, found.filter(pa.array([name is None for name in spelt])))
            value = labels[_first_true(strange)].as_py()
            alike = spellings(value, names)
            hint = (
                nearest(value, names)
                if len(alike) < 2
                else (" More than one label is spelt like that.")
            )
            what = f"{value[:80]!r} is not a label.{hint} Labels: {label_listing(names)}"
            self._refuse(strange, first_row, what)
        if spelt == found.to_pylist():
            return labels
        places = pc.index_in(labels, found)
        return pa.chunked_array([pa.array(spelt, pa.string()).take(places.combine_chunks())])

    def _refuse(self, wrong: pa.ChunkedArray, first_row: int, what: str) -> None:
        row = _first_true(wrong)
        if row is not None:
            raise DataError(f"{self.reader.place(first_row + row)}: {what}.")


def _first_true(mask: pa.ChunkedArray) -> int | None:
    row = pc.index(mask, True).as_py()
    return None if row < 0 else int(row)
