"""From the rows of a release, or of predictions, to what a machine proposed."""

from __future__ import annotations

from dataclasses import dataclass

from hilt.review.answers.base import AnswerForm
from hilt.review.base import Answered, Rejection
from hilt.review.formats.answer_lines import (
    FROM_PEOPLE,
    SHOWN,
    Line,
    RejectedError,
    read_value,
    text_of,
)
from hilt.types import Decision

CONFIDENCE = 0.8  # of a label that comes without a probability, as of a rule


@dataclass(frozen=True, slots=True)
class Proposed:
    """A label that a machine proposed for a line's item.

    Attributes:
        line: The item, as far as the line tells, and the label.
        probability: How likely the machine finds that label.
    """

    line: Answered
    probability: float


def read_proposed(line: Line, form: AnswerForm) -> Proposed | Rejection | None:
    """Read a line; None where there is no label.

    Args:
        line: A row with `id` or `text`, `label`, and perhaps `probability`.
        form: How an answer stands in a line.
    """
    try:
        return _read(line, form)
    except RejectedError as error:
        return Rejection(line.number, str(error), line.unit)


def is_from_people(line: Line) -> bool:
    """Tell whether a label comes from people: in a sheet for review, or a row of a release.

    They say what is right; a proposer that repeats them would look better than it is.
    """
    fields = {} if isinstance(line.fields, str) else line.fields
    released = "given_by" in fields and text_of(fields, "source") in FROM_PEOPLE
    return released or "rank" in fields


def _read(line: Line, form: AnswerForm) -> Proposed | None:
    if isinstance(line.fields, str):
        raise RejectedError(line.fields)
    if not any(text_of(line.fields, name) for name in form.fields):
        return None
    item_id, text = line.fields.get("id") or "", line.fields.get("text")
    if not (item_id.strip() or (text or "").strip()):
        raise RejectedError("both the id and the text are missing.")
    decision = Decision(
        item_id=item_id if item_id.strip() else "",
        action="label",
        value=read_value(line.fields, form),
        reviewer="",
        line=line.number,
    )
    probability = _probability(text_of(line.fields, "probability"))
    return Proposed(Answered(decision, text=text), probability)


def _probability(written: str) -> float:
    """Read a number in [0, 1], which may have a decimal comma."""
    if not written:
        return CONFIDENCE
    try:
        number = float(written if "." in written else written.replace(",", "."))
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise RejectedError(
            f"probability is {written[:SHOWN]!r}; it must be a number from 0 to 1, or empty."
        )
    return number
