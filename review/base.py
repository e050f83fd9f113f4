"""The seams of this folder: how batches go out to people and decisions come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hilt.reading.options import Options
from hilt.registry import Registry
from hilt.tasks.base import Task
from hilt.types import Batch, Decision

MACHINE = "machine:"  # so begin the reviewer names of proposers, and no person's
RESOLVED = "resolved:"  # so begin the reviewer names of rules that settle disagreements
GOLD = "gold"  # the reviewer name of answers that are known to be right


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line of an answer file that does not fit, and why.

    Attributes:
        line: Its number.
        unit: What that counts: `line`, or `record` or `row` in a file that has no lines.
    """

    line: int
    reason: str
    unit: str = "line"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answered line of a file, before its item is looked for.

    Attributes:
        decision: What it says. A program may have changed or deleted the `item_id`; what an
            `accept` accepts is not in `value`, for only the database knows what was shown.
        rank: The item's place in its batch, where the line says so.
        text: The item's text, where the line has one.
        accepts: Whether the proposal is accepted.
    """

    decision: Decision
    rank: int | None = None
    text: str | None = None
    accepts: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What an answer file holds.

    Attributes:
        lines: The lines that can be used.
        rejections: The lines that cannot, each with its reason.
        unanswered: How many lines carry no answer yet.
        remarks: How many lines hold something that hilt did not write: a comment without an
            answer, a column of somebody's own.
        warnings: What of the file may have been read otherwise than it was meant.
        unit: What its lines are: `line`, `record` or `row`.
    """

    lines: tuple[Answered, ...]
    rejections: tuple[Rejection, ...]
    unanswered: int
    remarks: int = 0
    warnings: tuple[str, ...] = ()
    unit: str = "line"

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the lines say, in order."""
        return tuple(line.decision for line in self.lines)


class Exchange(Protocol):
    """A file format that other tools, or a text editor, can work with."""

    def lacks(self, task: Task) -> str | None:
        """Say in a sentence why it cannot hold the answers of a task; None where it can."""
        ...

    def write(
        self, batch: Batch, path: Path, task: Task, decisions: Sequence[Decision] = ()
    ) -> None:
        """Write a batch for review; a blind item carries no proposal, score or reason.

        Args:
            batch: What to ask about.
            path: A new file; hilt renames it to its place when it is whole.
            task: What an answer is.
            decisions: Answers to fill in; none of a batch that waits for people.
        """
        ...

    def read(
        self, path: Path, task: Task, reviewer: str, options: Options | None = None
    ) -> Answers:
        """Read the answers back.

        Args:
            path: The file that `write` made, with answers added.
            task: What an answer is.
            reviewer: Who decided, where a line does not say.
            options: How the file is written, where that cannot be told by looking.

        Raises:
            DataError: If the file cannot be read at all.
        """
        ...


class Reviewer(Protocol):
    """Somebody, or something, that answers a batch."""

    def review(self, batch: Batch) -> list[Decision]:
        """Decide every item of the batch, in order."""
        ...


EXCHANGES = Registry(
    "exchange",
    {
        "jsonl": "hilt.review.formats.json_lines:JsonLines",
        "csv": "hilt.review.formats.csv_table:CsvTable",
    },
    methods=("lacks", "write", "read"),
)
