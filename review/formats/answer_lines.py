"""From the lines of an answer file to decisions, whatever the format.

An answer stands in the cells that the task's form names, such as `label`. Instead, `action` may
hold one of these: `accept` (the proposal that was shown), `skip` or `flag`. A line with neither is
not answered yet. Text, score and everything else that was only shown is not read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hilt.registry import nearest
from hilt.review.answers.base import AnswerForm, WrongCellError
from hilt.review.base import RESOLVED, Answered, Answers, Rejection
from hilt.review.formats.item_records import fields_of
from hilt.types import Action, Decision, Value

WITHOUT_LABEL: dict[str, Action] = {"skip": "skip", "flag": "flag"}
ACTIONS = ("label", "accept", *WITHOUT_LABEL)
SHEET = {"batch", "rank", "id"}  # what every line of a sheet that hilt wrote has
REMARKS = ("seconds", "comment", "reviewer")  # the columns of a person beside the answer
PERSON = "person"  # the `source` of released rows whose label people gave
FROM_PEOPLE = (PERSON, "inherited")  # and of those that have it from a near-duplicate
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer file: its fields, or what is wrong with it as a whole."""

    number: int
    fields: Mapping[str, Any] | str
    unit: str = "line"


class RejectedError(Exception):
    """A line does not fit; its message says why."""


def collect(lines: Iterable[Line], form: AnswerForm, reviewer: str) -> Answers:
    """Turn lines into answers and rejections.

    Args:
        lines: In the order of the file.
        form: How an answer stands in a line.
        reviewer: Who decided, where a line does not say.
    """
    answered: list[Answered] = []
    rejections: list[Rejection] = []
    unanswered = remarks = 0
    unit = "line"
    for line in lines:
        unit = line.unit
        try:
            said = _decide(line, form, reviewer)
        except RejectedError as error:
            rejections.append(Rejection(line.number, str(error), unit))
            continue
        remarks += _has_remark(line, form, answered=bool(said))
        unanswered += not said
        answered += said
    return Answers(tuple(answered), tuple(rejections), unanswered, remarks, unit=unit)


def _has_remark(line: Line, form: AnswerForm, answered: bool) -> bool:
    """Tell whether a line holds something that hilt did not write, beside an answer."""
    if not has_sheet_columns(line, form):
        return True
    fields = line.fields if isinstance(line.fields, Mapping) else {}
    return not answered and any(text_of(fields, name) for name in REMARKS)


def has_sheet_columns(line: Line, form: AnswerForm) -> bool:
    """Tell whether a line has the columns of a sheet that hilt wrote, and no other."""
    return isinstance(line.fields, Mapping) and SHEET <= set(line.fields) <= set(fields_of(form))


def _decide(line: Line, form: AnswerForm, reviewer: str) -> list[Answered]:
    """Read one line: nothing when it is not answered yet, and one answer of each reviewer."""
    if isinstance(line.fields, str):
        raise RejectedError(line.fields)
    fields = line.fields
    answer = _action_and_value(fields, form)
    item_id, text = fields.get("id") or "", fields.get("text")
    batch, rank = _whole(fields, "batch"), _whole(fields, "rank")
    in_sheet = batch is not None and rank is not None
    if not (item_id.strip() or in_sheet or (text or "").strip()):
        raise RejectedError("the id is missing; keep the column `id` unchanged.")
    if answer is None:
        return []
    names = people_of(fields)
    if names is None:
        names = (text_of(fields, "reviewer") or reviewer.strip(),)
    decision = Decision(
        item_id=item_id if item_id.strip() else "",
        action=answer[0],
        value=answer[1],
        reviewer="",
        batch=batch,
        seconds=_seconds(fields),
        comment=text_of(fields, "comment"),
        source="file",
        line=line.number,
    )
    accepts = text_of(fields, "action").casefold() == "accept"
    return [Answered(replace(decision, reviewer=name), rank, text, accepts) for name in names]


def people_of(fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Name the people who gave the label of a released row; None for what is no such row.

    Raises:
        RejectedError: If no person did, for a machine's label is never taken for a person's.
    """
    sheet = "rank" in fields
    source, given_by = text_of(fields, "source"), text_of(fields, "given_by")
    if not sheet and source and "given_by" in fields:
        if source != PERSON:
            raise RejectedError(
                f"the row comes from a release, and no person gave its label (source: {source!r},"
                f" given by {given_by!r}); import only the rows whose `source` is {PERSON!r},"
                " or import labels of machines with `--as proposals`."
            )
        names = [name for name in given_by.split(", ") if name]
        people = [name for name in names if not name.startswith(RESOLVED)]
        return tuple(people or names or [text_of(fields, "reviewer")])
    if not sheet and text_of(fields, "probability") and not text_of(fields, "reviewer"):
        raise RejectedError(
            "the row has a `probability`, so it looks like a prediction: import predictions with"
            " `--as proposals`. To import labels of people, remove that column, or name the"
            " people in a column `reviewer`."
        )
    return None


def _action_and_value(fields: Mapping[str, Any], form: AnswerForm) -> tuple[Action, Value] | None:
    """Read what was decided: nothing where nothing is filled in."""
    filled = {name: text for name in form.fields if (text := text_of(fields, name))}
    action = text_of(fields, "action").casefold()
    if not filled and not action:
        return None
    if action and action not in ACTIONS:
        raise RejectedError(
            f"action {action!r} is unknown.{nearest(action, ACTIONS)}"
            f" Allowed: {', '.join(ACTIONS)}, or leave it empty and fill {_named(form)}."
        )
    if action in WITHOUT_LABEL:
        for name, text in filled.items():
            raise RejectedError(f"action is {action!r} but {name} is {text!r}; give only one.")
        return WITHOUT_LABEL[action], ()
    if not filled and action == "accept":
        return "label", ()
    if not filled:
        raise RejectedError(f"action is 'label' but the {form.fields[0]} is empty.")
    return "label", read_value(fields, form)


def read_value(fields: Mapping[str, Any], form: AnswerForm) -> Value:
    """Read the answer of a line that has one.

    Raises:
        RejectedError: If it is none.
    """
    # Two labels may differ in their outer spaces alone, so cells stay as they are.
    cells = {name: str(fields.get(name) or "") for name in form.fields}
    try:
        return form.read(cells)
    except WrongCellError as error:
        raise RejectedError(str(error)) from None


def _named(form: AnswerForm) -> str:
    return " and ".join(f"`{name}`" for name in form.fields)


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Read what stands in a column, without outer spaces; "" where nothing does."""
    value = fields.get(name)
    return "" if value is None else str(value).strip()


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    """Read a whole number, which pandas and spreadsheets may have written as 1.0 or 1,0."""
    text = text_of(fields, name)
    if not text:
        return None
    whole = re.fullmatch(r"([0-9]{1,9})([.,]0+)?", text)
    if whole is None:
        raise RejectedError(
            f"{name} is {text[:SHOWN]!r}; it must be a whole number, as it was written."
        )
    return int(whole[1])


def _seconds(fields: Mapping[str, Any]) -> float | None:
    """Read a number, which may have a decimal comma; the gate says whether it can be."""
    text = text_of(fields, "seconds")
    if not text:
        return None
    try:
        return float(text if "." in text else text.replace(",", "."))
    except ValueError:
        raise RejectedError(
            f"seconds is {text[:SHOWN]!r}; it must be a number of at least 0, such as 4.5."
        ) from None
