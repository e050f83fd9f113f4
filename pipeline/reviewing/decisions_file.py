"""One file with every decision that was ever made, and with what it was made about.

JSON Lines, which any program can read. The first line says what the file is, of which pool, and how
many lines of which kind follow; then come the items that are named, the batches with what was shown
of each item, the decisions in the order in which they were made, and a last line with the checksum
of all before it. Written and read a line at a time.
"""

from __future__ import annotations

import hashlib
import re
import stat
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from hilt.errors import DataError
from hilt.pipeline.workspace.upgrades import kind_before
from hilt.plain_files import shown
from hilt.reading.encoding import MAX_LINE_LENGTH
from hilt.reading.opening import UNREADABLE, file_mode, open_file, unreadable
from hilt.types import DecisionKind, Explanation
from hilt.values import candidates_from_json, value_from_json

CALLED = (None, "jsonl")  # what a user may say that the format of such a file is
FORMAT = 3
WITHOUT_ANSWERS = 2  # without `answer` and `shown`; like the next, read and no longer written
WITHOUT_KINDS = 1  # without `decision_kind` too
Whole = Annotated[int, Field(ge=0, lt=2**31)]  # what every database holds
_WHY = TypeAdapter(Explanation)


def _readable_by(read: Callable[[Any], object]) -> Callable[[list[Any]], list[Any]]:
    """Refuse what cannot be read, and keep what can as it stands."""

    def check(stored: list[Any]) -> list[Any]:
        read(stored)
        return stored

    return check


StoredValue = Annotated[list[Any], AfterValidator(_readable_by(value_from_json))]
_BEGINNING = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"hilt"\s*:\s*"decisions"')
_SHOWN = 80


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def written(self) -> bytes:
        """Write it as a line."""
        return self.model_dump_json().encode() + b"\n"


class Header(_Line):
    """What the file is.

    Attributes:
        pool: The fingerprint of the pool: a SHA-256 of all its ids, texts and known labels.
        pool_items: Its size.
        earlier: The same of the pool before each time that items were appended: size, fingerprint.
        labels: The labels, in their order.
        seed: What the draws of the audit begin with.
        items: How many items are named.
        batches: How many batches there are.
        decisions: How many decisions there are.
    """

    hilt: Literal["decisions"] = "decisions"
    format: int = FORMAT
    pool: str
    pool_items: Whole
    earlier: tuple[tuple[Whole, str], ...] = ()
    labels: tuple[str, ...]
    seed: int
    items: Whole
    batches: Whole
    decisions: Whole


class ItemLine(_Line):
    """An item that a batch or a decision names by its index."""

    kind: Literal["item"] = "item"
    index: Whole
    id: str
    text: str


class ShownLine(_Line):
    """An item of a batch, with the proposal as it stood then; `reason` says what drew it."""

    item: Whole
    rank: Whole
    reason: str
    score: float
    blind: bool
    proposal: Annotated[list[Any], AfterValidator(_readable_by(candidates_from_json))]
    why: dict[str, Any] | None
    answer: StoredValue | None = None

    @field_validator("why")
    @classmethod
    def _readable(cls, why: dict[str, Any] | None) -> dict[str, Any] | None:
        if why is not None:
            _WHY.validate_python(why)
        return why


class _Selector(BaseModel):
    """What is read again of what selected a batch; there may be more."""

    note: str = ""
    shortage: str = ""
    copies: list[Annotated[list[Annotated[Whole, Strict()]], Field(min_length=2, max_length=2)]] = (
        Field(default_factory=list)
    )


class BatchLine(_Line):
    """A batch: what selected it, and the items in their order."""

    kind: Literal["batch"] = "batch"
    number: Whole
    cycle: Whole
    selector: dict[str, Any]
    created_at: datetime
    extends: Whole | None
    items: list[ShownLine]

    @field_validator("selector")
    @classmethod
    def _readable(cls, selector: dict[str, Any]) -> dict[str, Any]:
        _Selector.model_validate(selector)
        return selector


class _DecisionLine(_Line):
    """What the lines of decisions have in every format."""

    kind: Literal["decision"] = "decision"
    item: Whole
    action: str
    labels: StoredValue
    reviewer: str
    batch: Whole | None
    blind: bool
    audit: bool
    shown_label: str | None
    shown_probability: float | None
    seconds: float | None
    comment: str
    source: str
    decided_at: datetime
    key: str | None
    withdraws: str | None


class DecisionLine(_DecisionLine):
    """What one reviewer said about one item, once."""

    decision_kind: DecisionKind
    shown: StoredValue | None = None


class DecisionLineBefore(_DecisionLine):
    """The same in format 1."""

    machine: bool

    def to_line(self) -> DecisionLine:
        """Say what it is, as its source and its reviewer's name told then."""
        kind = kind_before(self.source, self.reviewer, machine=self.machine)
        return DecisionLine(**self.model_dump(exclude={"machine"}), decision_kind=kind)


class End(_Line):
    """The last line."""

    kind: Literal["end"] = "end"
    sha256: str


Content = ItemLine | BatchLine | DecisionLine
_NOW: TypeAdapter[Content | DecisionLineBefore | End] = TypeAdapter(
    Annotated[ItemLine | BatchLine | DecisionLine | End, Field(discriminator="kind")]
)
_LINES: dict[int, TypeAdapter[Content | DecisionLineBefore | End]] = {
    FORMAT: _NOW,
    WITHOUT_ANSWERS: _NOW,
    WITHOUT_KINDS: TypeAdapter(
        Annotated[ItemLine | BatchLine | DecisionLineBefore | End, Field(discriminator="kind")]
    ),
}


def is_decisions_file(path: Path) -> bool:
    """Tell whether a file says of itself that it holds decisions.

    Raises:
        DataError: If it cannot be read.
    """
    return (
        stat.S_ISREG(file_mode(str(path)))
        and _BEGINNING.match(open_file(str(path)).head) is not None
    )


class DecisionsFile:
    """A file of decisions, open for reading.

    Args:
        path: Where it is.

    Raises:
        DataError: If it cannot be read, or a newer hilt wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_file(str(path))
        first = next(self._lines(), b"")
        try:
            self.header = Header.model_validate_json(first)
        except ValidationError as error:
            raise self._malformed(1, error) from None
        if self.header.format not in _LINES:
            raise DataError(
                f"{shown(str(path))} has the format {self.header.format}, but this hilt supports"
                f" {FORMAT}; upgrade hilt, or write the file again."
            )

    def content(self) -> Iterator[tuple[int, Content]]:
        """Read what follows the header, each with the number of its line.

        Raises:
            DataError: If a line is malformed, or the file is not as hilt wrote it; the latter is
                known at the end only.
        """
        digest = hashlib.sha256()
        counts = dict.fromkeys(("item", "batch", "decision"), 0)
        number = 0
        for number, line in enumerate(self._lines(), start=1):
            if number > 1:
                try:
                    value = _LINES[self.header.format].validate_json(line)
                except ValidationError as error:
                    raise self._malformed(number, error) from None
                if isinstance(value, End):
                    self._check_end(value, digest.hexdigest(), counts)
                    return
                counts[value.kind] += 1
                yield number, value.to_line() if isinstance(value, DecisionLineBefore) else value
            digest.update(line)
        raise DataError(
            f"{shown(str(self.path))} ends after line {number}, before its last line, so it was"
            " cut off. Write it again with `hilt export WORK --decisions FILE`."
        )

    def wrong(self, number: int, reason: str) -> DataError:
        """Say of a line that its content cannot be hilt's."""
        return DataError(f"{self.path}, line {number}: {reason}, so hilt did not write this file.")

    def _check_end(self, end: End, sha256: str, counts: dict[str, int]) -> None:
        header = self.header
        told = {"item": header.items, "batch": header.batches, "decision": header.decisions}
        if end.sha256 != sha256 or counts != told:
            raise DataError(
                f"{shown(str(self.path))} was changed after hilt wrote it: its checksum differs."
                " Write it again with `hilt export WORK --decisions FILE`; to change an"
                " answer, import a file with the new answer afterwards."
            )

    def _lines(self) -> Iterator[bytes]:
        """Read lines as hilt wrote them: an editor may have set a mark, and other line ends."""
        try:
            with self._file.open() as content:
                mark = BOM_UTF8
                while line := content.readline(MAX_LINE_LENGTH).removeprefix(mark):
                    yield line[:-2] + b"\n" if line.endswith(b"\r\n") else line
                    mark = b""
        except UNREADABLE as error:
            raise unreadable(str(self.path), error) from None

    def _malformed(self, number: int, error: ValidationError) -> DataError:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        at = f" at `{place[:_SHOWN]}`" if place else ""
        return DataError(
            f"{shown(str(self.path))}, line {number}: not a valid line of a file of decisions{at}:"
            f" {first['msg'][:_SHOWN]}. Write the file again with `hilt export WORK"
            " --decisions FILE`."
        )
