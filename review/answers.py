"""From the lines of an answer file to decisions, whatever the format.

An answer is a label written into `label`, or one of these in `action`: `accept` (the proposal
that stands in the line), `skip` or `flag`. A line with neither is not answered yet.
Text, score and everything else that was only shown is not read back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hilt.registry import nearest
from hilt.review.base import Answers, Rejection
from hilt.review.records import FIELDS
from hilt.types import Action, Decision

WITHOUT_LABEL: dict[str, Action] = {"skip": "skip", "flag": "flag"}
ACTIONS = ("label", "accept", *WITHOUT_LABEL)
SHEET = {"batch", "rank", "id"}  # what every line of a sheet that hilt wrote has
REMARKS = ("seconds", "comment", "reviewer")  # the columns of a person beside the answer
TRUE = ("true", "1", "yes")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer file: its fields, or what is wrong with it as a whole."""

    number: int
    fields: Mapping[str, Any] | str


class _RejectedError(Exception):
    """A line does not fit; its message says why."""


def collect(lines: Iterable[Line], labels: Sequence[str], reviewer: str) -> Answers:
    """Turn lines into decisions and rejections.

    When one reviewer answers an item differently on several lines, none of them counts; when
    the answers are the same, the first does.

    Args:
        lines: In the order of the file.
        labels: The names that are allowed.
        reviewer: Who decided, where a line does not say.
    """
    decisions: list[Decision] = []
    rejections: list[Rejection] = []
    unanswered = remarks = 0
    for line in lines:
        try:
            decision = _decide(line, labels, reviewer)
        except _RejectedError as error:
            rejections.append(Rejection(line.number, str(error)))
            continue
        remarks += _has_remark(line, answered=decision is not None)
        if decision is None:
            unanswered += 1
        else:
            decisions.append(decision)
    kept, conflicts = _settle(decisions)
    rejections = sorted([*rejections, *conflicts], key=lambda rejection: rejection.line)
    return Answers(tuple(kept), tuple(rejections), unanswered, remarks)


def _has_remark(line: Line, answered: bool) -> bool:
    """Tell whether a line holds something that hilt did not write, beside an answer."""
    fields = line.fields if isinstance(line.fields, Mapping) else {}
    if not SHEET <= set(fields) <= set(FIELDS):
        return True
    return not answered and any(_text(fields, name) for name in REMARKS)


def _settle(decisions: list[Decision]) -> tuple[list[Decision], list[Rejection]]:
    """Keep one decision for each item and reviewer, and none where they differ."""
    together: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        together.setdefault((decision.item_id, decision.reviewer), []).append(decision)
    kept, rejections = [], []
    for same in together.values():
        if len({(decision.action, decision.labels) for decision in same}) == 1:
            kept.append(same[0])
            continue
        told = "; ".join(f"{_answer(decision)} on line {decision.line}" for decision in same)
        reason = f"item {same[0].item_id!r} has different answers: {told}. Keep one of them."
        rejections += [Rejection(decision.line or 0, reason) for decision in same]
    return kept, rejections


def _answer(decision: Decision) -> str:
    return repr(decision.labels[0]) if decision.labels else decision.action


def _decide(line: Line, labels: Sequence[str], reviewer: str) -> Decision | None:
    """Read one line; None when it is not answered yet."""
    if isinstance(line.fields, str):
        raise _RejectedError(line.fields)
    fields = line.fields
    item_id = fields.get("id")
    if isinstance(item_id, int) and not isinstance(item_id, bool):
        item_id = str(item_id)
    if not isinstance(item_id, str) or not item_id.strip():
        raise _RejectedError("the id is missing; keep the column `id` as it was written.")
    answer = _action_and_labels(fields, labels)
    if answer is None:
        return None
    return Decision(
        item_id=item_id,
        action=answer[0],
        labels=answer[1],
        reviewer=_text(fields, "reviewer") or reviewer,
        batch=_batch(fields),
        seconds=_seconds(fields),
        comment=_text(fields, "comment"),
        source="file",
        line=line.number,
    )


def _action_and_labels(
    fields: Mapping[str, Any], labels: Sequence[str]
) -> tuple[Action, tuple[str, ...]] | None:
    label, action = _text(fields, "label"), _text(fields, "action").casefold()
    if not label and not action:
        return None
    if action and action not in ACTIONS:
        raise _RejectedError(
            f"action {action!r} is unknown.{nearest(action, ACTIONS)}"
            f" Allowed: {', '.join(ACTIONS)}, or leave it empty and fill `label`."
        )
    if action in WITHOUT_LABEL:
        if label:
            raise _RejectedError(f"action is {action!r} but label is {label!r}; give only one.")
        return WITHOUT_LABEL[action], ()
    chosen = _accepted(fields, label) if action == "accept" else label
    if not chosen:
        raise _RejectedError("action is 'label' but the label is empty.")
    if chosen not in labels:
        raise _RejectedError(
            f"{chosen!r} is not a label.{nearest(chosen, labels)} Labels: {', '.join(labels)}."
        )
    return "label", (chosen,)


def _accepted(fields: Mapping[str, Any], label: str) -> str:
    proposal = _text(fields, "proposal")
    if _text(fields, "blind").casefold() in TRUE:
        raise _RejectedError("the line is blind, so there is nothing to accept; fill `label`.")
    if not proposal:
        raise _RejectedError("there is no proposal to accept; fill `label`.")
    if label not in ("", proposal):
        raise _RejectedError(
            f"action accepts {proposal!r} but label is {label!r}; empty one of them."
        )
    return proposal


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value).strip()


def _batch(fields: Mapping[str, Any]) -> int | None:
    text = _text(fields, "batch")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _RejectedError(f"batch is {text!r}; it must be a whole number, as it was written.")
    return int(text) if text else None


def _seconds(fields: Mapping[str, Any]) -> float | None:
    text = _text(fields, "seconds")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise _RejectedError(f"seconds is {text!r}; it must be a number from 0, such as 4.5.")
    return seconds
