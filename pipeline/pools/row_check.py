"""Which rows of a source are refused, with the place where each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from hilt.errors import DataError
from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.source import Source, TestSource
from hilt.pipeline.pools.source import Reader
from hilt.review.answers.base import WrongCellError
from hilt.review.answers.cell import AnswerCell
from hilt.types import Content, Value


@dataclass(frozen=True)
class RowCheck:
    """Refuses rows that cannot be used.

    Attributes:
        known: How known answers are written; None lets a label be anything.
    """

    source: Source
    reader: Reader
    known: AnswerCell | None
    medium: Medium = TEXT

    def check(self, batch: pa.Table, first_row: int) -> tuple[pa.Table, list[Content]]:
        """Give the batch without nulls, and the content of each row.

        Raises:
            DataError: For the first row that is wrong.
        """
        for name in self.medium.columns:
            missing = batch.column(name).is_null()
            self._refuse(missing, first_row, f"the {name} is missing (null)")
        columns = {name: batch.column(name).fill_null("") for name in batch.column_names}
        if "id" in columns:
            blank = pc.equal(pc.utf8_trim_whitespace(columns["id"]), "")
            self._refuse(blank, first_row, f"the id (column {self.source.id!r}) is empty")
        placed: dict[str, Value] = {}
        if "label" in columns:
            columns["label"], placed = self._check_labels(columns["label"], first_row)
        checked = pa.table(columns)
        contents = _contents(self.medium, checked)
        for row, content in enumerate(contents, start=first_row):
            problem = self.medium.problem(content)
            if problem is not None:
                raise DataError(f"{self.reader.place(row)}: {problem}.")
        if placed:
            self._check_places(columns["label"].to_pylist(), placed, contents, first_row)
        return checked, contents

    def _check_labels(
        self, labels: pa.ChunkedArray, first_row: int
    ) -> tuple[pa.ChunkedArray, dict[str, Value]]:
        """Give the labels as hilt writes them, and what those say that have places."""
        placed: dict[str, Value] = {}
        if self.known is not None:
            labels, placed = self._written(labels, self.known, first_row)
        if isinstance(self.source, TestSource):
            what = (
                f"the label (column {self.source.label!r}) is empty, but `test` needs every label"
            )
            self._refuse(pc.equal(labels, ""), first_row, what)
        return labels, placed

    def _written(
        self, labels: pa.ChunkedArray, known: AnswerCell, first_row: int
    ) -> tuple[pa.ChunkedArray, dict[str, Value]]:
        found, written = labels.unique(), []
        placed: dict[str, Value] = {}
        for cell in found.to_pylist():  # in the order in which they first occur
            if not cell.strip():
                written.append("")
                continue
            try:
                value = known.read(cell)
            except WrongCellError as error:
                row = first_row + pc.index(labels, cell).as_py()
                raise DataError(f"{self.reader.place(row)}: {error}") from None
            written.append(known.write(value))
            if any(part.place for part in value):
                placed[written[-1]] = value
        if written == found.to_pylist():
            return labels, placed
        places = pc.index_in(labels, found).combine_chunks()
        return pa.chunked_array([pa.array(written, pa.string()).take(places)]), placed

    def _check_places(
        self,
        cells: list[str],
        placed: Mapping[str, Value],
        contents: Sequence[Content],
        first_row: int,
    ) -> None:
        """Refuse an answer with a place that is none of its item."""
        assert self.known is not None
        for row, cell in enumerate(cells):
            if cell in placed:
                problem = self.known.task.answers.problem(placed[cell], contents[row])
                if problem is not None:
                    raise DataError(f"{self.reader.place(first_row + row)}: {problem}")

    def _refuse(self, wrong: pa.ChunkedArray, first_row: int, what: str) -> None:
        row = _first_true(wrong)
        if row is not None:
            raise DataError(f"{self.reader.place(first_row + row)}: {what}.")


def _first_true(mask: pa.ChunkedArray) -> int | None:
    row = pc.index(mask, True).as_py()
    return None if row < 0 else int(row)


def _contents(medium: Medium, batch: pa.Table) -> list[Content]:
    """Make the content of each row of a table that has the columns of the medium."""
    return list(map(medium.read, *(batch.column(name).to_pylist() for name in medium.columns)))
