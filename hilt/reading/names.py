"""One rule for names: spellings that differ in case and outer spaces alone are the same name.

It holds wherever a name that somebody wrote meets names that are known: the columns of pools and
of sheets of answers, and labels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from hilt.errors import DataError
from hilt.registry import nearest

LISTED = 30
# pandas writes a column of whole numbers with a gap in it as 1.0, 2.0, ...
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def name_key(name: str) -> str:
    """What all spellings of a name have in common.

    >>> name_key(" Text "), name_key("TRUE"), name_key("3.0")
    ('text', 'true', '3')
    """
    bare = unicodedata.normalize("NFC", name.strip("\ufeff").strip()).casefold()
    whole = _WHOLE.fullmatch(bare)
    return whole[1] if whole else bare


def spellings(wanted: str, present: Iterable[str]) -> list[str]:
    """List the names that differ from a wanted one in case and outer spaces at most."""
    key = name_key(wanted)
    return [name for name in dict.fromkeys(present) if name_key(name) == key]


class NameIndex:
    """Finds names among a great many, each as `match_name` does."""

    def __init__(self, present: Iterable[str]) -> None:
        self._names = dict.fromkeys(present)
        self._alike: dict[str, list[str]] = {}
        for name in self._names:
            self._alike.setdefault(name_key(name), []).append(name)

    def match(self, wanted: str) -> str | None:
        """Find the name that is meant; None when there is none, or more than one."""
        if wanted in self._names:
            return wanted
        alike = self._alike.get(name_key(wanted), [])
        return alike[0] if len(alike) == 1 else None


def match_name(wanted: str, present: Iterable[str]) -> str | None:
    """Find the name that is meant: the very one, or the only one that is spelt otherwise.

    Returns:
        The name as it stands in `present`; None when there is none, or more than one.

    >>> match_name("sport", ["Sport ", "world"]), match_name("a", ["A", "a "])
    ('Sport ', None)
    """
    listed = list(present)
    if wanted in listed:
        return wanted
    alike = spellings(wanted, listed)
    return alike[0] if len(alike) == 1 else None


def find_column(wanted: str, present: Sequence[str], *, place: str, role: str) -> str:
    """Find a column by its name.

    Args:
        wanted: The name as the user wrote it.
        present: The columns as the file names them.
        place: What the message begins with, such as the path.
        role: The option that names the column.

    Raises:
        DataError: If there is no such column, or more than one.
    """
    found = match_name(wanted, present)
    listed = listing(present)
    if found is None:
        alike = spellings(wanted, present)
        if alike:
            told = " and ".join(repr(name[:80]) for name in alike[:2])
            raise DataError(
                f"{place}: {told} are both spellings of the column {wanted[:80]!r} of"
                f" `{role}`; write it exactly. Columns: {listed}."
            )
        raise DataError(
            f"{place}: there is no column {wanted[:80]!r}, which `{role}`"
            f" names.{nearest(wanted[:80], [name.strip()[:80] for name in present])} Columns:"
            f" {listed}."
        )
    if list(present).count(found) > 1:
        raise DataError(
            f"{place}: column {found[:80]!r} occurs twice in the header; rename one."
            f" Columns: {listed}."
        )
    return found


def listing(names: Sequence[str]) -> str:
    """List names for a message, not all of a great many."""
    shown = ", ".join(repr(name[:80]) for name in names[:LISTED])
    more = len(names) - LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown or "none"


def label_listing(labels: Sequence[str], most: int = LISTED) -> str:
    """List labels for a message, not all of a great many."""
    more = len(labels) - most
    listed = ", ".join(label[:80] for label in labels[:most])
    return f"{listed} and {more:,} more" if more > 0 else listed


def unique_names(names: Sequence[str]) -> list[str]:
    """Number the names that stand in a header before: `x`, `x.2`; an empty one is `column 3`.

    >>> unique_names(["x", "", "x"])
    ['x', 'column 2', 'x.2']
    """
    given, made = set(names), dict[str, None]()
    for place, name in enumerate(names, start=1):
        bare = name or f"column {place}"
        unique, number = bare, 2
        while unique in made or (unique != name and unique in given):
            unique, number = f"{bare}.{number}", number + 1
        made[unique] = None
    return list(made)
