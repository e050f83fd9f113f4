"""What an exchange file says about an item, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hilt.review.answers.base import AnswerForm
from hilt.types import Batch, BatchItem, Decision, Value

SHOWN = (
    "batch",
    "rank",
    "id",
    "text",
    "blind",
    "reason",
    "score",
    "proposal",
    "probability",
    "alternatives",
)
BESIDE = ("action", "seconds", "comment", "reviewer")
DIGITS = 4


def fields_of(form: AnswerForm) -> tuple[str, ...]:
    """List the columns of a sheet, in their order."""
    return (*SHOWN, *form.fields, *BESIDE)


def records_of(
    batch: Batch, form: AnswerForm, decisions: Sequence[Decision] = ()
) -> Iterator[dict[str, Any]]:
    """Describe every item of a batch, in order, with the answer left open or filled in."""
    decided = {decision.item_id: decision for decision in decisions}
    for item in batch.items:
        shown = {} if item.blind else _proposal(item, form)
        yield {
            "batch": batch.number,
            "rank": item.rank,
            "id": item.item_id,
            "text": item.text,
            "blind": item.blind,
            "reason": shown.get("reason"),
            "score": shown.get("score"),
            "proposal": shown.get("proposal"),
            "probability": shown.get("probability"),
            "alternatives": shown.get("alternatives", []),
            **_answer(decided.get(item.item_id), form),
        }


def told(form: AnswerForm, value: Value) -> Any:  # noqa: ANN401 - what JSON can hold
    """Write an answer into one cell: of a form with one field, as that field has it."""
    cells = form.write(value)
    return cells if len(form.fields) > 1 else cells[form.fields[0]]


def _answer(decision: Decision | None, form: AnswerForm) -> dict[str, Any]:
    if decision is None:
        return dict.fromkeys(form.fields) | dict.fromkeys(BESIDE) | {"comment": ""}
    is_answer = decision.action == "label"
    cells = form.write(decision.value) if is_answer else dict.fromkeys(form.fields)
    return {
        **cells,
        "action": decision.action,
        "seconds": decision.seconds,
        "comment": decision.comment,
        "reviewer": decision.reviewer,
    }


def _proposal(item: BatchItem, form: AnswerForm) -> dict[str, Any]:
    """Say what only an item that is not blind may show: the reason, too, would lean people."""
    proposed = item.proposed or ()
    chosen = [each.probability for each in item.proposal if each.part in proposed]
    return {
        "reason": item.reason,
        "score": round(item.score, DIGITS),
        "proposal": None if item.proposed is None else told(form, item.proposed),
        "probability": round(min(chosen), DIGITS) if chosen else None,
        "alternatives": [
            {"label": each.label, "probability": round(each.probability, DIGITS)}
            | ({"place": each.part.place} if each.part.place else {})
            for each in item.proposal
            if each.part not in proposed
        ],
    }
