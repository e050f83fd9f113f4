"""How far people lean towards what they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hilt.intervals import Share, newcombe
from hilt.pipeline.workspace.labels import is_opinion
from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.types import Value


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How often people give the proposed label, with it in view and without.

    Only items that the selector picked count: which of them are blind is drawn at random, so that
    nothing else makes the difference.

    Attributes:
        shown: With the proposal in view.
        blind: Without it.
        difference: The first less the second.
        low: Lower end of the 95 % interval of the difference (Newcombe).
        high: Upper end.
    """

    shown: Share
    blind: Share
    difference: float
    low: float
    high: float


def anchoring(
    decisions: Iterable[DecisionRow], batches: Sequence[BatchItemRow]
) -> Anchoring | None:
    """Compare how often the proposal is accepted shown and blind; None before there is both.

    Args:
        decisions: Those that stand.
        batches: The items of all batches.
    """
    proposed = {
        (row.batch, row.item_index): row.proposed
        for row in batches
        if row.proposed is not None and not row.blind
    }
    accepted: dict[bool, list[bool]] = {True: [], False: []}
    for row in _first_opinions(decisions):
        value = proposed.get((row.batch or 0, row.item_index))
        if value is not None:
            accepted[row.blind].append(row.value == value)
    if not accepted[True] or not accepted[False]:
        return None
    hits = sum(accepted[False]), sum(accepted[True])
    items = len(accepted[False]), len(accepted[True])
    return Anchoring(
        Share.of(hits[0], items[0]),
        Share.of(hits[1], items[1]),
        hits[0] / items[0] - hits[1] / items[1],
        *newcombe(hits, items),
    )


def bulk_accuracy(decisions: Iterable[DecisionRow]) -> Share | None:
    """Measure decisions in bulk by those of them that were asked again, one by one and blind."""
    in_bulk: dict[int, Value] = {}
    same = []
    for row in decisions:
        if row.kind == "bulk":
            in_bulk[row.item_index] = row.value
        elif row.kind == "check" and row.action == "label" and row.item_index in in_bulk:
            same.append(row.value == in_bulk[row.item_index])
    return Share.of(sum(same), len(same)) if same else None


def _first_opinions(decisions: Iterable[DecisionRow]) -> list[DecisionRow]:
    """Keep the labels that people gave one by one, the first on each item.

    Second opinions are blind by rule and not by lot, and what was decided in bulk looks different.
    """
    first: dict[int, DecisionRow] = {}
    for row in decisions:
        if is_opinion(row):
            first.setdefault(row.item_index, row)
    return [row for row in first.values() if row.action == "label" and row.kind != "bulk"]
