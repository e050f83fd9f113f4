"""Which rows of a source are refused, with the place where each stands."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source, TestSource
from hilt.pipeline.pools.source import Reader
from hilt.registry import nearest


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Refuses rows that cannot be used."""

    source: Source
    reader: Reader
    labels: tuple[str, ...] | None

    def check(self, batch: pa.Table, first_row: int) -> pa.Table:
        """Return the batch without nulls; raise DataError for the first row that is wrong."""
        self._refuse(batch.column("text").is_null(), first_row, "the text is missing (null)")
        columns = {name: batch.column(name).fill_null("") for name in batch.column_names}
        if "id" in columns:
            blank = pc.equal(pc.utf8_trim_whitespace(columns["id"]), "")
            self._refuse(blank, first_row, f"the id (column {self.source.id!r}) is empty")
        if "label" in columns:
            self._check_labels(columns["label"], first_row)
        return pa.table(columns)

    def _check_labels(self, labels: pa.ChunkedArray, first_row: int) -> None:
        unknown = pc.equal(labels, "")
        if isinstance(self.source, TestSource):
            what = (
                f"the label (column {self.source.label!r}) is empty, but `test` needs every label"
            )
            self._refuse(unknown, first_row, what)
        if self.labels is None:
            return
        listed = pc.is_in(labels, pa.array(self.labels, pa.string()))
        strange = pc.invert(pc.or_(listed, unknown))
        row = _first_true(strange)
        if row is not None:
            value = labels[row].as_py()
            allowed = ", ".join(self.labels)
            what = f"{value!r} is not a label.{nearest(value, self.labels)} Labels: {allowed}"
            self._refuse(strange, first_row, what)

    def _refuse(self, wrong: pa.ChunkedArray, first_row: int, what: str) -> None:
        row = _first_true(wrong)
        if row is not None:
            raise DataError(f"{self.reader.place(first_row + row)}: {what}.")


def _first_true(mask: pa.ChunkedArray) -> int | None:
    row = pc.index(mask, True).as_py()
    return None if row < 0 else int(row)
