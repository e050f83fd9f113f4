"""How a delimited text separates its fields, and what its quotes mean: found, then checked.

The delimiter is told by the first lines. Quotes are looked at in the whole file, because one stray
quote far down can swallow thousands of rows: does every quote that opens a field close it, and does
every line have all fields if quotes are plain characters?
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal

from hilt.reading.names import match_name

Quoting = Literal["auto", "fields", "none"]
DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 200
# A quoted field of a table with one column cannot hold "rows", so its lines are counted.
LONG_FIELD_LINES = 50
# Closes a field that an earlier line opened.
_CLOSE = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"(?!")')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written.

    Attributes:
        delimiter: What stands between fields.
        quoted: Whether a `"` at the beginning of a field encloses it.
        skipped: Lines before the header: one where the first says `sep=;`.
        header: The names of the columns.
        rivals: Other delimiters that fit as well.
    """

    delimiter: str
    quoted: bool = True
    skipped: int = 0
    header: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


def find_dialect(
    lines: Iterable[str],
    *,
    delimiter: str | None,
    quoted: bool | None,
    tabs: bool,
    wanted: Sequence[str],
) -> Dialect | None:
    """Find the delimiter and the header from the first lines of a text.

    Args:
        lines: The text's lines.
        delimiter: What the user says it is.
        quoted: What the user says of quotes; None means that they are looked at later.
        tabs: Whether the file's name says that tabs separate.
        wanted: Columns that should be in the header.

    Returns:
        None if there is no header.
    """
    sample = list(islice(lines, SAMPLE_LINES))
    whole = len(sample) < SAMPLE_LINES  # else the last row may go on below
    skipped = 0
    if sample and (told := _separator_line(sample[0])):
        delimiter, skipped = delimiter or told, 1
        sample = sample[1:]
    candidates = (delimiter,) if delimiter else (("\t",) if tabs else ()) + DELIMITERS
    tried = []
    for place, each in enumerate(dict.fromkeys(candidates)):
        rows = _parse(sample, each, quoted=quoted is not False)
        if not rows:
            return None
        header, *body = rows
        even = all(len(row) == len(header) for row in (body if whole else body[:-1]))
        found = sum(match_name(name, header) is not None for name in wanted)
        # A tab or a semicolon in a header that commas divide is rare; a comma in a text is not.
        several = len(header) > 1
        score = (found, several, tabs and each == "\t", even, len(header) if even else 0)
        tried.append((score, -place, Dialect(each, quoted is not False, skipped, tuple(header))))
    best_score, _, best = max(tried, key=lambda each: each[:2])
    rivals = tuple(
        made.delimiter
        for score, _, made in tried
        if made is not best and score[1] and score[3] and score[0] == best_score[0]
    )
    return replace(best, rivals=rivals)


@dataclass(slots=True)
class QuoteCheck:
    """What a look at every quote of a text has found; `add` gets the lines, the header's first.

    Attributes:
        delimiter: What stands between fields.
        width: How many fields a row has.
        enclosed: Fields that a pair of quotes encloses.
        stray: Fields that begin with a quote which does not close at their end.
        first_stray: The line of the first of them, or None.
        open_since: The line of the row whose quote is still open, or None.
        swallowed: The line of the first row with a field that holds what looks like rows, and how
            many lines it holds; None where there is none.
        even_lines: Whether every line has all fields when quotes mean nothing.
        line: How many lines were seen.
    """

    delimiter: str
    width: int
    enclosed: int = 0
    stray: int = 0
    first_stray: int | None = None
    open_since: int | None = None
    swallowed: tuple[int, int] | None = None
    even_lines: bool = True
    line: int = 0
    _rows_inside: int = 0
    _lines_inside: int = 0
    _plain: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        mark = re.escape(self.delimiter)
        one = rf'(?:"[^"]*(?:""[^"]*)*"|[^"{mark}\r\n][^{mark}\r\n]*|)'
        self._plain = re.compile(rf"{one}(?:{mark}{one})*[\r\n]*")

    def add(self, lines: Iterable[str]) -> QuoteCheck:
        """Look at lines; returns itself."""
        for line in lines:
            self.line += 1
            even = line.count(self.delimiter) == self.width - 1
            if not even and not line.isspace():
                self.even_lines = False
            if self.open_since is not None:
                self._inside(line, even)
            elif '"' in line:
                if self._plain.fullmatch(line):
                    self.enclosed += 1
                else:
                    self._walk(line, 0)
        return self

    @property
    def bare(self) -> bool:
        """Whether quotes are plain characters, by all that was seen."""
        if not self.even_lines:
            return False
        tabs = self.delimiter == "\t"
        if self.open_since is not None and not tabs:
            return False  # a CSV that was cut off looks like this
        if self.stray or self.open_since is not None:
            return self.stray + (self.open_since is not None) > self.enclosed
        return tabs and self.swallowed is not None

    def _inside(self, line: str, even: bool) -> None:
        """Look at a line that begins inside of a quoted field."""
        closed = _CLOSE.match(line)
        if closed is None:
            self._lines_inside += 1
            self._rows_inside += even and (self.width > 1 or not line.isspace())
            return
        # Lines of prose have as many commas as a row now and then, but hardly ever all of them.
        least = self._lines_inside if self.width > 1 else LONG_FIELD_LINES
        if self._rows_inside >= max(1, least) and self.swallowed is None:
            self.swallowed = self.open_since or 0, self._rows_inside + 1
        began, self.open_since = self.open_since or self.line, None
        self._walk(line, self._after(line, closed.end(), began))

    def _walk(self, line: str, at: int) -> None:
        """Look at every field of a line from a position on."""
        while at < len(line):
            if line[at] != '"':
                at = self._next_field(line, at)
                continue
            quoted = _QUOTED.match(line, at)
            if quoted is None:
                self.open_since, self._rows_inside, self._lines_inside = self.line, 0, 0
                return
            at = self._after(line, quoted.end(), self.line)

    def _after(self, line: str, at: int, began: int) -> int:
        """Count the field whose closing quote ends at a position; returns where the next begins."""
        rest = line[at : at + 1]
        if rest in ("", "\r", "\n", self.delimiter):
            self.enclosed += 1
        else:
            self.stray += 1
            self.first_stray = self.first_stray or began
        return self._next_field(line, at)

    def _next_field(self, line: str, at: int) -> int:
        following = line.find(self.delimiter, at)
        return len(line) if following < 0 else following + 1


def _separator_line(line: str) -> str | None:
    """Read `sep=;`, the line by which Excel is told the delimiter."""
    told = re.fullmatch(r'"?sep=(.)"?[\r\n]*', line.lstrip("\ufeff"), re.IGNORECASE)
    return told[1] if told else None


def _parse(lines: Sequence[str], delimiter: str, *, quoted: bool) -> list[list[str]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter, quoting=quoting) if row]
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines if line.strip()]
