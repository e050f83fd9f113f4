"""CSV and TSV: pyarrow reads the data, the csv module finds the line of a problem afterwards.

Everything is text: "NA", "null" and "007" mean themselves. A quoted field may hold line breaks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import pyarrow as pa
import pyarrow.csv

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.columns import check_columns, wanted_columns
from hilt.pipeline.pools.text_lines import (
    CHUNK_BYTES,
    UNREADABLE,
    codec_of,
    find_undecodable,
    open_bytes,
)

# One row must fit in a block, and a batch is as long as its block.
BLOCK_BYTES = 8 << 20
# The csv module refuses longer fields unless told; this is what a C long holds everywhere.
LONGEST_FIELD = 2**31 - 1
# Put after the last line: only a quote that is still open takes it in.
END = "\0end of file\0"


@dataclass(frozen=True, slots=True)
class CsvSource:
    """A .csv or .tsv file, plain or gzipped; a .csv may also be separated by `;` or tabs."""

    source: Source

    def batches(self) -> Iterator[pa.Table]:
        """Stream the wanted columns as text, under their names in the pool.

        Raises:
            DataError: If a column is missing, a row has too few or too many fields, a quote is
                never closed, or a byte is not in the encoding.
        """
        header, delimiter = self._header()
        check_columns(self.source, header)
        try:
            if next(islice(self._records(delimiter), 1, None), None) is None:
                return
            with self._open(delimiter) as stream:
                for batch in stream:
                    yield pa.table(
                        {
                            role: batch.column(column)
                            for role, column in wanted_columns(self.source).items()
                        }
                    )
            odd = self._quotes() % 2 == 1
        except (pa.ArrowInvalid, UnicodeDecodeError, *UNREADABLE) as error:
            raise self._explain(error, header, delimiter) from None
        if odd:
            # pyarrow takes a quote that is never closed to be closed by the end of the file.
            for _ in self._records(delimiter):
                pass

    def place(self, row: int) -> str:
        """Name the line on which a row begins."""
        _, delimiter = self._header()
        records = self._records(delimiter)
        line = next(line for number, (line, _) in enumerate(records) if number == row + 1)
        return f"{self.source.path}, line {line}"

    def _open(self, delimiter: str) -> pyarrow.csv.CSVStreamingReader:
        columns = list(dict.fromkeys(wanted_columns(self.source).values()))
        codec = codec_of(self.source)
        return pyarrow.csv.open_csv(
            self.source.path,
            # Only under its own name does pyarrow read UTF-8 without passing through Python.
            pyarrow.csv.ReadOptions(
                block_size=BLOCK_BYTES, encoding="utf8" if codec == "utf-8-sig" else codec
            ),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                column_types={column: pa.string() for column in columns},
                strings_can_be_null=False,
                include_columns=columns,
            ),
        )

    def _header(self) -> tuple[list[str], str]:
        """Read the column names, and find the delimiter with which the text's is among them."""
        delimiters = "\t" if ".tsv" in self.source.path.lower()[-7:] else ",;\t"
        try:
            headers = [
                (next((row for _, row in self._records(delimiter)), []), delimiter)
                for delimiter in delimiters
            ]
        except UNREADABLE as error:
            raise DataError(f"{self.source.path} cannot be read: {error}.") from None
        if not headers[0][0]:
            raise DataError(f"{self.source.path} is empty; the first line must name the columns.")
        return next((found for found in headers if self.source.text in found[0]), headers[0])

    def _records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield every record that is not a blank line, with the line on which it begins."""
        csv.field_size_limit(LONGEST_FIELD)
        with (
            open_bytes(self.source.path) as file,
            io.TextIOWrapper(file, codec_of(self.source), "replace", newline="") as text,
        ):
            reader = csv.reader(chain(text, [END]), delimiter=delimiter)
            line = 1
            for row in reader:
                if row == [END]:
                    return
                if row and row[-1].endswith(END):
                    raise DataError(
                        f"{self.source.path}, line {line}: a quote is opened in the row that"
                        " begins here, and never closed."
                    )
                if row:
                    yield line, row
                line = reader.line_num + 1

    def _quotes(self) -> int:
        with open_bytes(self.source.path) as file:
            return sum(chunk.count(b'"') for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))

    def _explain(self, error: Exception, header: list[str], delimiter: str) -> DataError:
        """Find the line of what pyarrow stumbled over."""
        try:
            problem = find_undecodable(self.source) or self._uneven(header, delimiter)
        except UNREADABLE as unreadable:
            return DataError(f"{self.source.path} cannot be read: {unreadable}.")
        return problem or DataError(
            f"{self.source.path} cannot be read as CSV: {error}"
            f" (a row may hold up to {BLOCK_BYTES >> 20} MB)."
        )

    def _uneven(self, header: list[str], delimiter: str) -> DataError | None:
        for line, row in self._records(delimiter):
            if len(row) != len(header):
                return DataError(
                    f"{self.source.path}, line {line}: the row has {len(row)} fields, but the"
                    f" header names {len(header)} columns; put fields that hold {delimiter!r}"
                    " in double quotes."
                )
        return None
