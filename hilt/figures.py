"""How figures are written, so that one figure reads the same wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

NOTHING = "\u2013"
LONG_NAME = 60  # characters of a label, an id or a reviewer's name that a table shows


def points(share: float) -> str:
    """Write a measured share in percent, without the sign.

    >>> points(0.8385)
    '83.9'
    >>> points(-0.0001)
    '0.0'
    """
    return f"{100 * share:z.1f}"


def percent(share: float) -> str:
    """Write a measured share as a percentage with one decimal."""
    return points(share) + "%"


def between(low: float, high: float) -> str:
    """Write the ends of an interval for a share."""
    return f"{percent(low)} to {percent(high)}"


def with_interval(measure: Mapping[str, Any]) -> str:
    """Write an accuracy with its interval.

    Args:
        measure: With `accuracy`, `low` and `high`.
    """
    return f"{percent(measure['accuracy'])} ({between(measure['low'], measure['high'])})"


def whole_percent(share: float) -> str:
    """Write a probability, or a share that is not exact: more decimals would not be meant.

    A half is rounded up, as JavaScript does on the review screen.
    """
    return f"{floor(100 * share + 0.5)}%"


def counted(number: int, one: str, more: str = "") -> str:
    """Write a number with what it counts; `more` where that is not `one` with an s.

    >>> counted(1, "item"), counted(1200, "item"), counted(2, "row has", "rows have")
    ('1 item', '1,200 items', '2 rows have')
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def minutes(seconds: float | None) -> str:
    """Write a duration in minutes, or say that nobody measured it."""
    return "not measured" if seconds is None else f"{seconds / 60:.1f}"


def decimals(value: float | None, digits: int) -> str:
    """Write a number that is no share; a dash where nothing is known."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def headed(phrase: str) -> str:
    """Begin a phrase with a capital letter; the others stay.

    >>> headed("accuracy"), headed("F1 of words")
    ('Accuracy', 'F1 of words')
    """
    return phrase[:1].upper() + phrase[1:]


def cut(text: str, most: int = LONG_NAME) -> str:
    """Cut a text to one line of at most `most` characters, with a mark where something is left out.

    >>> cut("a  long name", 6)
    'a lon…'
    """
    line = " ".join(text[: 8 * most].split())
    return line if len(line) <= most and len(text) <= 8 * most else line[: most - 1] + "\u2026"
