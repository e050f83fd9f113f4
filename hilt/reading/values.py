"""What a cell that has a type of its own says as text."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any, Literal

Kind = Literal["text", "id", "label", "any", "raw"]
ALLOWED = {
    "text": "a string",
    "id": "a string or a whole number",
    "label": "one label (a string, a whole number, true, false or null) or a list of one",
}
SHOWN = 60


class WrongValueError(ValueError):
    """A value that cannot stand in such a column; its message says what is allowed."""


def as_text(value: Any, kind: Kind) -> str | None:  # noqa: ANN401 - a cell may hold anything
    """Write a value of JSON or of a spreadsheet as text.

    Whole numbers are written without a fraction (pandas makes 7 into 7.0 beside a gap), booleans
    as `true` and `false`; what is missing (null, NaN) is None. A list of one label is that label.

    Args:
        value: The value.
        kind: What the column is for; `any` and `raw` take everything.

    Raises:
        WrongValueError: If a text, an id or a label cannot be this.

    >>> as_text(7.0, "id"), as_text(True, "label"), as_text(["sport"], "label")
    ('7', 'true', 'sport')
    """
    if isinstance(value, str):
        return value
    if kind == "label" and isinstance(value, list) and len(value) <= 1:
        return as_text(value[0], kind) if value else None
    if value is None or (kind in ALLOWED and isinstance(value, float) and math.isnan(value)):
        return None
    if kind not in ALLOWED or (kind != "text" and _is_name(value, kind)):
        return _written(value)
    raise WrongValueError(f"it must be {ALLOWED[kind]}")


def _is_name(value: Any, kind: Kind) -> bool:  # noqa: ANN401 - a cell may hold anything
    if isinstance(value, bool):
        return kind == "label"
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _written(value: Any) -> str:  # noqa: ANN401 - a cell may hold anything
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if not isinstance(value, dict | list):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        raise WrongValueError("it is nested too deeply") from None


def abridged(value: Any) -> str:  # noqa: ANN401 - a cell may hold anything
    """Write a value for a message."""
    try:
        return json.dumps(value, default=str)[:SHOWN]
    except RecursionError:
        return "nested too deeply to show"


def encodable(text: str) -> bool:
    """Tell whether a text can be stored: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
