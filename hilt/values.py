"""Answers as values: made of names, told in words, and as JSON holds them.

In JSON a part is its label, `"sports"`, or its label and its place, `["PER", 0, 12]`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from hilt.types import Candidate, Part, Value

DIGITS = 4  # of a probability that is stored


def value_of(*parts: Part | str) -> Value:
    """Make an answer of parts, in their order; a name is a label for the whole item.

    >>> value_of("billing")
    (Part(label='billing', place=()),)
    """
    return tuple(sorted(Part(each) if isinstance(each, str) else each for each in parts))


def in_words(value: Value) -> str:
    """Tell an answer in a few words.

    >>> in_words(value_of("billing")), in_words(value_of(Part("PER", (0, 12)))), in_words(())
    ('billing', 'PER 0-12', 'nothing')
    """
    return ", ".join(map(_told, value)) or "nothing"


def count_labels(values: Iterable[Value]) -> Counter[str]:
    """Count in how many places answers give each label."""
    return Counter(part.label for value in values for part in value)


def plain(value: Value | None) -> Any:  # noqa: ANN401 - what JSON can hold
    """Say of which answer something was made; one label for the whole item is that alone."""
    entries = None if value is None else value_to_json(value)
    return entries[0] if entries is not None and len(entries) == 1 else entries


def value_to_json(value: Value) -> list[Any]:
    """Turn an answer into what JSON can hold."""
    return [[part.label, *part.place] if part.place else part.label for part in value]


def value_from_json(entries: object) -> Value:
    """Read an answer back.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], str):
        return _whole(entries[0])
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ValueError(f"{_cut(entries)} is no list of labels")
    return tuple(sorted(_part(entry) for entry in entries))


def candidates_to_json(candidates: Iterable[Candidate]) -> list[list[Any]]:
    """Turn candidates into what JSON can hold: label, probability, and place where there is one."""
    return [[each.label, each.probability, *each.part.place] for each in candidates]


def rounded(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Round probabilities to what is stored of them."""
    return tuple(Candidate(each.part, round(each.probability, DIGITS)) for each in candidates)


def candidates_from_json(entries: object) -> tuple[Candidate, ...]:
    """Read candidates back.

    Raises:
        ValueError: If they are none.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ValueError(f"{_cut(entries)} is no list of candidates")
    return tuple(_candidate(entry) for entry in entries)


@lru_cache(maxsize=10_000)
def _whole(label: str) -> Value:
    """One label for the whole item, which most of a great many answers are."""
    return (Part(label),)


def _told(part: Part) -> str:
    return f"{part.label} {'-'.join(str(each) for each in part.place)}".strip()


def _part(entry: object) -> Part:
    if isinstance(entry, str):
        return Part(entry)
    if isinstance(entry, Sequence) and entry and isinstance(entry[0], str):
        return Part(entry[0], _place(entry[1:]))
    raise ValueError(f"{_cut(entry)} is neither a label nor a label with a place")


def _candidate(entry: object) -> Candidate:
    if (
        isinstance(entry, Sequence)
        and len(entry) > 1
        and isinstance(entry[0], str)
        and _is_number(entry[1])
    ):
        return Candidate(Part(entry[0], _place(entry[2:])), float(entry[1]))
    raise ValueError(f"{_cut(entry)} is no label with its probability")


def _place(numbers: Sequence[Any]) -> tuple[float, ...]:
    if not all(map(_is_number, numbers)):
        raise ValueError(f"{_cut(numbers)} is no place, which consists of numbers")
    return tuple(numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cut(value: object) -> str:
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:60]}..."
