"""CSV, TSV and other delimited text.

pyarrow reads what is regular, fast; Python's csv module reads the rest, and finds the lines of
what is wrong. Everything is text: "NA", "null" and "007" mean themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal

import pyarrow as pa
import pyarrow.csv

from hilt.errors import DataError
from hilt.plain_files import shown
from hilt.reading.dialects import Dialect, QuoteCheck, find_dialect
from hilt.reading.encoding import CHUNK_BYTES, codec_of, find_undecodable, text_lines
from hilt.reading.names import find_column, unique_names
from hilt.reading.opening import UNREADABLE, File, unreadable
from hilt.reading.options import Options
from hilt.reading.rows import Column, Row, tables_of

# One row must fit in a block, and a batch is as long as its block.
BLOCK_BYTES = 8 << 20
MAX_FIELD_LENGTH = 128 << 20
# Put after the last line: only a quote that is still open takes it in.
END = "\0end of file\0"


@dataclass(frozen=True, slots=True)
class Delimited:
    """A file of delimited text; `open_delimited` makes it.

    Attributes:
        file: The file.
        codec: How it is encoded.
        dialect: How it is written.
        names: The columns, numbered where a name stands twice.
        regular: Whether pyarrow may read it.
        warnings: What may have been read otherwise than it was meant.
    """

    file: File
    codec: str
    dialect: Dialect
    names: tuple[str, ...]
    regular: bool
    warnings: tuple[str, ...] = ()

    def find(self, wanted: str, role: str) -> str:
        """Find a column; returns its name in `names`."""
        place = shown(self.file.path)
        found = find_column(wanted, self.dialect.header, place=place, role=role)
        return self.names[self.dialect.header.index(found)]

    def batches(self, columns: Sequence[Column], *, fill: bool = False) -> Iterator[pa.Table]:
        """Stream columns as text.

        Args:
            columns: Which, and what they are called in the tables that come out.
            fill: Whether a row may lack fields at its end, which are then empty.

        Raises:
            DataError: If a column is missing, a row has too few or too many fields, a quote is
                never closed, or a byte is not in the encoding.
        """
        found = {column.role: self.find(column.name, column.role) for column in columns}
        read = 0
        if self.regular and not fill:
            try:
                for batch in self._fast(found):
                    yield batch
                    read += len(batch)
                return
            except (*UNREADABLE, UnicodeError):
                pass  # the slow way reads on from there, or names the line
        renamed = [replace(column, name=found[column.role]) for column in columns]
        rows = islice(self.rows(fill=fill), read, None)
        yield from tables_of(self.file.path, rows, renamed)

    def rows(self, *, fill: bool = True) -> Iterator[Row]:
        """Stream rows, each with the line on which it begins, and its fields or what is wrong.

        Raises:
            DataError: If a byte is not in the encoding, or the file is damaged.
        """
        names, width = self.names, len(self.names)
        try:
            for line, cells in islice(self._records(), 1, None):
                extra = any(cell.strip() for cell in cells[width:])
                if cells[-1].endswith(END):
                    told = "the row that begins here opens a quote that is never closed"
                    yield Row(line, told)
                elif extra or (len(cells) < width and not fill):
                    yield Row(line, self._uneven(len(cells), width))
                else:
                    missing = [""] * (width - len(cells))
                    yield Row(line, dict(zip(names, [*cells[:width], *missing], strict=True)))
        except UnicodeError as error:
            undecodable = find_undecodable(self.file, self.codec)
            raise undecodable or unreadable(self.file.path, error) from None
        except UNREADABLE as error:
            raise unreadable(self.file.path, error) from None

    def place(self, row: int) -> str:
        """Name the line on which a row begins."""
        line = next(islice(self._records(), row + 1, None), (0, []))[0]
        return f"{self.file.path}, line {line}"

    def _uneven(self, cells: int, width: int) -> str:
        columns = "column" if width == 1 else "columns"
        fields = "field" if cells == 1 else "fields"
        delimiter = self.dialect.delimiter
        remedy = (
            f"put fields that hold {delimiter!r} in double quotes"
            if self.dialect.quoted
            else "if fields are in double quotes, set `quoting` to fields"
        )
        return f"the row has {cells} {fields}, but the header names {width} {columns}; {remedy}"

    def _fast(self, found: dict[str, str]) -> Iterator[pa.Table]:
        """Let pyarrow read, which checks the number of fields but not where a quote closes."""
        if next(islice(self._records(), 1, None), None) is None:
            return
        source = pa.OSFile(self.file.path) if self.file.packing is None else self.file.open()
        raw = {name: self.dialect.header[self.names.index(name)] for name in found.values()}
        with source, self._stream(source, list(raw.values())) as stream:
            for batch in stream:
                yield pa.table({role: batch.column(raw[name]) for role, name in found.items()})

    def _stream(self, source: object, wanted: list[str]) -> pyarrow.csv.CSVStreamingReader:
        quoted = self.dialect.quoted
        return pyarrow.csv.open_csv(
            source,
            pyarrow.csv.ReadOptions(
                block_size=BLOCK_BYTES,
                # Only under its own name does pyarrow read UTF-8 without passing through Python.
                encoding="utf8" if self.codec == "utf-8-sig" else self.codec,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in wanted},
                strings_can_be_null=False,
                include_columns=wanted,
            ),
        )

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every record that is not a blank line, with the line on which it begins."""
        csv.field_size_limit(MAX_FIELD_LENGTH)
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.dialect.quoted else csv.QUOTE_NONE
        lines = islice(text_lines(self.file, self.codec, newline=""), self.dialect.skipped, None)
        end = [END] if self.dialect.quoted else []
        reader = csv.reader(chain(lines, end), delimiter=self.dialect.delimiter, quoting=quoting)
        line = 1 + self.dialect.skipped
        try:
            for row in reader:
                if row == [END]:
                    return
                if row:
                    yield line, row
                line = reader.line_num + 1 + self.dialect.skipped
        except csv.Error as error:
            raise DataError(
                f"{shown(self.file.path)}, line {line}: the row that begins here cannot be"
                f" read: {error} (a field may have up to {MAX_FIELD_LENGTH >> 20} MB)."
            ) from None


def open_delimited(file: File, options: Options, *, tabs: bool) -> Delimited:
    """Find out how a delimited text is written.

    Args:
        file: The file.
        options: What the user says of it.
        tabs: Whether its name says that tabs separate.

    Raises:
        DataError: If it is empty, cannot be read, or a byte is not in the encoding.
        ConfigError: If an option is wrong.
    """
    codec = codec_of(file, options.encoding)
    try:
        dialect = _find_dialect(file, codec, options, tabs)
        check = _check_quotes(file, codec, dialect) if options.quoting != "none" else None
    except UnicodeError as error:
        raise find_undecodable(file, codec) or unreadable(file.path, error) from None
    except UNREADABLE as error:
        raise unreadable(file.path, error) from None
    warnings = [_rivals(file, dialect)] if dialect.rivals else []
    regular = dialect.delimiter.isascii() and not dialect.skipped
    if check is not None:
        bare = check.bare and options.quoting == "auto"
        dialect = replace(dialect, quoted=not bare)
        warnings += _remarks(file, check, bare, sure=options.quoting == "fields")
        # pyarrow takes a quote that is never closed to be closed by the end of the file.
        regular = regular and (bare or check.open_since is None)
    names = tuple(unique_names(dialect.header))
    return Delimited(file, codec, dialect, names, regular, tuple(warnings))


def _find_dialect(file: File, codec: str, options: Options, tabs: bool) -> Dialect:
    dialect = find_dialect(
        text_lines(file, codec, newline="", errors="replace"),
        delimiter=options.delimiter,
        quoted=None if options.quoting == "auto" else options.quoting == "fields",
        tabs=tabs,
        wanted=options.wanted,
    )
    if dialect is None:
        raise DataError(
            f"{shown(file.path)} is empty; the first line must name the columns (the header)."
        )
    if any("\0" in name for name in dialect.header):
        raise DataError(
            f"{shown(file.path)}, line {1 + dialect.skipped}: the names of the columns"
            " contain a byte 0x00, so this is not a table in text form."
        )
    return dialect


def _rivals(file: File, dialect: Dialect) -> str:
    others = " or ".join(map(repr, dialect.rivals))
    return (
        f"{shown(file.path)}, line {1 + dialect.skipped}: fields were read as separated by"
        f" {dialect.delimiter!r}, but {others} would fit as well; if that is right, set"
        " `delimiter`."
    )


def _check_quotes(file: File, codec: str, dialect: Dialect) -> QuoteCheck | None:
    """Look at all quotes, if there are any."""
    if not _has_quotes(file, codec):
        return None
    lines = text_lines(file, codec, newline="", errors="replace")
    check = QuoteCheck(dialect.delimiter, len(dialect.header), line=dialect.skipped)
    return check.add(islice(lines, dialect.skipped, None))


def _has_quotes(file: File, codec: str) -> bool:
    if codec == "utf-7" or '"'.encode(codec) != b'"':
        return True  # perhaps: it is another byte there, or several
    with file.open() as content:
        return any(b'"' in chunk for chunk in iter(lambda: content.read(CHUNK_BYTES), b""))


def _remarks(file: File, check: QuoteCheck, bare: bool, *, sure: bool) -> list[str]:
    if bare:
        line = check.first_stray or (check.swallowed or (check.open_since,))[0]
        return [
            f"{shown(file.path)}, line {line}: the quote that begins a field here does not"
            " enclose it, so quotes are read as ordinary characters; if they enclose fields,"
            " set `quoting` to fields."
        ]
    told = []
    if check.swallowed is not None and not sure:  # who says that quotes enclose fields knows
        line, lines = check.swallowed
        told.append(
            f"{shown(file.path)}, line {line}: a quoted field that begins here continues"
            f" for {lines} more lines, which look like rows of their own; if quotes are"
            " ordinary characters in this file, set `quoting` to none."
        )
    if check.first_stray is not None:
        told.append(
            f"{shown(file.path)}, line {check.first_stray}: a quote that begins a field"
            " closes before the field ends; the quotes are left out. If they are ordinary"
            " characters in this file, set `quoting` to none."
        )
    return told
