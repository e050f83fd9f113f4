"""The lines of a file of answers, whatever kind of table it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hilt.errors import DataError
from hilt.reading.json_rows import JsonRows
from hilt.reading.names import listing, match_name, name_key
from hilt.reading.options import Options
from hilt.reading.rows import encodable
from hilt.reading.table import Table, open_table
from hilt.reading.values import Kind, WrongValueError, abridged, as_text
from hilt.review.answers import Line, collect
from hilt.review.base import Answers
from hilt.review.records import FIELDS

KINDS: dict[str, Kind] = {"id": "id", "label": "label"}


def read_answers(path: Path, labels: Sequence[str], reviewer: str, options: Options) -> Answers:
    """Read a file of answers.

    Args:
        path: Any table that hilt reads.
        labels: The names that are allowed.
        reviewer: Who decided, where a line does not say.
        options: How it is written, where that cannot be told by looking.

    Raises:
        DataError: If the file cannot be read, or lacks `id` or the answers.
    """
    table = open_table(path, replace(options, wanted=FIELDS))
    answers = collect(lines_of(path, table), labels, reviewer)
    return replace(answers, warnings=table.warnings)


def lines_of(path: Path, table: Table) -> Iterator[Line]:
    """Read the lines that are not blank, with the names of columns as hilt spells its own.

    All values are text; what is missing is None.

    Raises:
        DataError: If the header lacks `id` or the answers, or the file cannot be read.
    """
    if not isinstance(table, JsonRows):
        _check_header(path, table)
    spelt: dict[tuple[str, ...], dict[str, str]] = {}
    for row in table.rows():
        if isinstance(row.fields, str):
            yield Line(row.line, f"{row.fields}.")
            continue
        columns = tuple(row.fields)
        if columns not in spelt:
            spelt[columns] = _spellings(columns)
        fields = _fields(row.fields, spelt[columns])
        if isinstance(fields, str) or any((value or "").strip() for value in fields.values()):
            yield Line(row.line, fields)


def _check_header(path: Path, table: Table) -> None:
    known = {name_key(name) for name in table.names} & set(FIELDS)
    if "id" not in known or known.isdisjoint({"label", "action"}):
        raise DataError(
            f"{path}: the header must name `id`, and `label` or `action`."
            f" Columns: {listing(table.names)}."
        )
    for name in known:
        table.find(name, name)


def _spellings(columns: tuple[str, ...]) -> dict[str, str]:
    """Map the columns that hilt knows to its own spelling of them."""
    found = {match_name(name, columns): name for name in FIELDS}
    return {column: name for column, name in found.items() if column is not None}


def _fields(values: Mapping[str, Any], spelt: Mapping[str, str]) -> dict[str, str | None] | str:
    """Turn the values of a row into text, or say why they cannot be."""
    fields: dict[str, str | None] = {}
    for column, value in values.items():
        name = spelt.get(column, column)
        try:
            text = as_text(value, KINDS.get(name, "any"))
        except WrongValueError as error:
            return f"{name} is {abridged(value)}; {error}."
        if text is not None and not encodable(text):
            return f"{name} is {abridged(value)}, which holds half of a surrogate pair."
        fields[name] = text
    return fields
