"""The lines of a file of answers, whatever kind of table it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hilt.errors import DataError
from hilt.reading.json_rows import JsonRows
from hilt.reading.names import listing, match_name, name_key
from hilt.reading.options import Options, Synonyms
from hilt.reading.table import Table, open_table
from hilt.reading.values import WrongValueError, abridged, as_text, encodable
from hilt.review.answers.base import KINDS, AnswerForm
from hilt.review.base import Answers
from hilt.review.formats.answer_lines import Line, collect
from hilt.review.formats.item_records import fields_of


def read_answers(path: Path, form: AnswerForm, reviewer: str, options: Options) -> Answers:
    """Read a file of answers.

    Args:
        path: Any table that hilt reads.
        form: How an answer stands in a line.
        reviewer: Who decided, where a line does not say.
        options: How it is written, where that cannot be told by looking.

    Raises:
        DataError: If the file cannot be read, or lacks the items or the answers.
    """
    table = open_table(path, replace(options, wanted=fields_of(form)))
    answers = collect(lines_of(path, table, form, options.synonyms), form, reviewer)
    return replace(answers, warnings=table.warnings)


def lines_of(path: Path, table: Table, form: AnswerForm, synonyms: Synonyms = ()) -> Iterator[Line]:
    """Read the lines that are not blank, with the names of columns as hilt spells its own.

    All values are text; what is missing is None.

    Raises:
        DataError: If the header lacks the items or the answers, or the file cannot be read.
    """
    if not isinstance(table, JsonRows):
        _check_header(path, table, form, synonyms)
    spelt: dict[tuple[str, ...], dict[str, str]] = {}
    for row in table.rows():
        if isinstance(row.fields, str):
            yield Line(row.line, f"{row.fields}.", row.unit)
            continue
        columns = tuple(row.fields)
        if columns not in spelt:
            spelt[columns] = _spellings(columns, form, synonyms)
        fields = _fields(row.fields, spelt[columns])
        if isinstance(fields, str) or any((value or "").strip() for value in fields.values()):
            yield Line(row.line, fields, row.unit)


def _check_header(path: Path, table: Table, form: AnswerForm, synonyms: Synonyms) -> None:
    spelt = _spellings(tuple(table.names), form, synonyms)
    fields = set(fields_of(form))
    known = set(spelt.values()) | ({name_key(name) for name in table.names} & fields)
    if known.isdisjoint({"id", "text"}) or known.isdisjoint({*form.fields, "action"}):
        raise DataError(
            f"{path}: the header must name `id`, or `text`, and `{form.fields[0]}` or `action`."
            f" Columns: {listing(table.names)}."
        )
    for name in known - (set(spelt.values()) - {name_key(name) for name in table.names}):
        table.find(name, name)


def _spellings(columns: tuple[str, ...], form: AnswerForm, synonyms: Synonyms) -> dict[str, str]:
    """Map the columns that hilt knows to its own spelling of them.

    Where one is missing, the name counts that the pool's file has for it.
    """
    found = {name: match_name(name, columns) for name in fields_of(form)}
    for name, other in synonyms:
        if name in found and found[name] is None:
            found[name] = match_name(other, columns)
    return {column: name for name, column in found.items() if column is not None}


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
