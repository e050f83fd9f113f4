"""Columns of Arrow as columns of text, and the dotted names of what is inside of structs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from hilt.reading.values import Kind, WrongValueError, as_text

DEPTH = 8
ALLOWED = {
    "text": "text",
    "id": "text or whole numbers",
    "label": "text, whole numbers, booleans or lists of one label",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or a field inside of a struct.

    Attributes:
        name: Its name, with dots where it is inside of a struct.
        type: What it holds.
        top: The position of its column in the schema.
        path: The names of the fields below that column.
    """

    name: str
    type: pa.DataType
    top: int
    path: tuple[str, ...] = ()

    def take(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Find the values in the column."""
        for part in self.path:
            column = pc.struct_field(column, part)
        return column


def leaves_of(schema: pa.Schema) -> list[Leaf]:
    """List all columns of a schema; a struct stands for its fields."""
    return [
        leaf
        for top, field in enumerate(schema)
        for leaf in _leaves(field.name, field.type, top, ())
    ]


def class_names(schema: pa.Schema) -> dict[str, Sequence[str]]:
    """Find the label names that `datasets` keeps beside columns of whole numbers."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def strings_of(
    values: pa.ChunkedArray, kind: Kind, classes: Sequence[str] | None = None
) -> pa.ChunkedArray:
    """Write a column as text; nulls stay. Of the kind `raw` it stays as it is.

    Args:
        values: The column.
        kind: What it is for.
        classes: The names that its whole numbers stand for.

    Raises:
        WrongValueError: If it cannot be for that, or holds what is no text.
    """
    of = values.type
    if kind == "raw":
        return values
    if pa.types.is_dictionary(of):
        of = of.value_type
        values = values.cast(of)
    if classes is not None and pa.types.is_integer(of):
        return _named(values, classes)
    if _is_text(of):
        return _checked(values)
    if _as_it_is(of, kind):
        return values.cast(pa.string())
    if kind == "any" or _one_by_one(of, kind):
        return pa.chunked_array([[as_text(value, kind) for value in values.to_pylist()]], "string")
    raise WrongValueError(f"is {of}; it must be {ALLOWED[kind]}")


def _as_it_is(of: pa.DataType, kind: Kind) -> bool:
    """Tell whether Arrow writes a type as hilt would."""
    if pa.types.is_integer(of):
        return kind != "text"
    return pa.types.is_null(of) or (pa.types.is_boolean(of) and kind in ("label", "any"))


def _one_by_one(of: pa.DataType, kind: Kind) -> bool:
    """Tell whether some values of a type may stand in a column: 7.0, or a list of one label."""
    lists = pa.types.is_list(of) or pa.types.is_large_list(of)
    return (kind == "label" and lists) or (kind != "text" and pa.types.is_floating(of))


def _leaves(name: str, of: pa.DataType, top: int, path: tuple[str, ...]) -> Iterator[Leaf]:
    if not pa.types.is_struct(of) or len(path) == DEPTH or not of.num_fields:
        yield Leaf(name, of, top, path)
        return
    for field in of:
        yield from _leaves(f"{name}.{field.name}", field.type, top, (*path, field.name))


def _named(values: pa.ChunkedArray, classes: Sequence[str]) -> pa.ChunkedArray:
    # `datasets` writes -1 for a label that is unknown.
    known = pc.if_else(pc.less(values, 0), None, values)
    highest = pc.max(known).as_py()
    if highest is not None and highest >= len(classes):
        raise WrongValueError(
            f"holds the number {highest}, but names only the labels 0 to {len(classes) - 1}"
        )
    return pa.chunked_array([pa.array(classes, pa.string())]).take(known)


def _checked(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make sure that the bytes are UTF-8, which Arrow itself takes on trust."""
    try:
        texts = values.cast(pa.string())
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for row, value in enumerate(values.cast(pa.large_binary()).to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError as error:
                raise BadBytesError(row, value[error.start]) from None
        raise
    return texts


class BadBytesError(WrongValueError):
    """A value that is not UTF-8, as Parquet and Arrow must have it."""

    def __init__(self, row: int, byte: int) -> None:
        super().__init__(f"holds the byte 0x{byte:02x}, which is not UTF-8")
        self.row = row


def _is_text(of: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(of)
        or pa.types.is_large_string(of)
        or pa.types.is_string_view(of)
        or pa.types.is_binary(of)
        or pa.types.is_large_binary(of)
    )
