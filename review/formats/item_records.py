"""What an exchange file says about an item, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hilt.types import Batch, BatchItem, Decision

FIELDS = (
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
    "label",
    "action",
    "seconds",
    "comment",
    "reviewer",
)
DIGITS = 4


def records_of(batch: Batch, decisions: Sequence[Decision] = ()) -> Iterator[dict[str, Any]]:
    """Describe every item of a batch, in order, with the answer left open or filled in."""
    decided = {decision.item_id: decision for decision in decisions}
    for item in batch.items:
        shown = {} if item.blind else _proposal(item)
        answer = _answer(decided[item.item_id]) if item.item_id in decided else {}
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
            "label": answer.get("label"),
            "action": answer.get("action"),
            "seconds": answer.get("seconds"),
            "comment": answer.get("comment", ""),
            "reviewer": answer.get("reviewer"),
        }


def _answer(decision: Decision) -> dict[str, Any]:
    return {
        "label": decision.labels[0] if decision.labels else None,
        "action": decision.action,
        "seconds": decision.seconds,
        "comment": decision.comment,
        "reviewer": decision.reviewer,
    }


def _proposal(item: BatchItem) -> dict[str, Any]:
    """Say what only an item that is not blind may show: the reason, too, would lean people."""
    candidates = [
        {"label": candidate.label, "probability": round(candidate.probability, DIGITS)}
        for candidate in item.proposal
    ]
    best = candidates[0] if candidates else {"label": None, "probability": None}
    return {
        "reason": item.reason,
        "score": round(item.score, DIGITS),
        "proposal": best["label"],
        "probability": best["probability"],
        "alternatives": candidates[1:],
    }
