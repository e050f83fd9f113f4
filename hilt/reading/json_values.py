"""JSON values: decoding them one by one, and the dotted names of what is inside of objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MAX_VALUE_LENGTH = 128 << 20
# Objects within objects whose fields get names of their own; what lies deeper stays one value.
DEPTH = 8
SPACE = " \t\r\n"
MISSING = object()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its keys, none of which may come twice: which value would count?"""
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:80]!r} occurs twice in one object")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def decode(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Decode one JSON value.

    Raises:
        ValueError: If it is none, or a key stands twice in an object.
        RecursionError: If it is nested too deeply.
    """
    return _DECODER.decode(text)


def why_invalid(error: Exception, *, in_line: bool) -> str:
    """Say why a text is no JSON value, without a full stop; in a line also where."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "int_max_str_digits" in str(error):
        return "a number has more than 4,300 digits"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})" if in_line else error.msg
    return str(error)


def look_up(record: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Find a field by its name, or by a dotted one (`data.text`); MISSING if there is none."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Name the fields of objects within an object with dots.

    >>> flat({"id": 7, "data": {"text": "x", "tags": []}})
    {'id': 7, 'data.text': 'x', 'data.tags': []}
    """
    if not any(isinstance(value, dict) for value in record.values()):
        return dict(record)
    return dict(_fields(record, "", DEPTH))


def _fields(record: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict) and value and depth:
            yield from _fields(value, f"{prefix}{key}.", depth - 1)
        else:
            yield prefix + key, value


class Reader:
    """Reads the elements of a JSON array one by one from pieces of text."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._at = 0

    def elements(self) -> Iterator[Any]:
        """Yield every element.

        Raises:
            ValueError: If what stands there is no array, or is cut off.
            RecursionError: If an element is nested too deeply.
        """
        self._take("[", "an array must begin with `[`")
        if self._peek() == "]":
            self._at += 1
        else:
            yield self._value()
            while self._peek() != "]":
                self._take(",", "a `,` or the closing `]` of the array is missing")
                yield self._value()
            self._at += 1
        if self._peek():
            raise ValueError("there is more text after the closing `]` of the array")

    def _take(self, character: str, otherwise: str) -> None:
        if self._peek() != character:
            raise ValueError(otherwise)
        self._at += 1

    def _peek(self) -> str:
        """Skip white space; the next character, or nothing at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def _value(self) -> Any:  # noqa: ANN401 - any JSON value
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                # It may only be cut off by the end of the piece.
                if self._grow():
                    continue
                raise
            # A number may go on in the next piece.
            if end == len(self._text) and self._grow():
                continue
            self._at = end
            return value

    def _grow(self) -> bool:
        """Read on until there is twice as much text ahead; False at the end."""
        kept = self._text[self._at :]
        if len(kept) > MAX_VALUE_LENGTH:
            raise ValueError(f"a value is longer than {MAX_VALUE_LENGTH >> 20} MB, or never ends")
        pieces, length = [kept], 0
        for chunk in self._chunks:
            pieces.append(chunk)
            length += len(chunk)
            if length >= len(kept):
                break
        self._text, self._at = "".join(pieces), 0
        return length > 0
