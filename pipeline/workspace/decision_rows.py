"""Rows of the table of decisions, with what a reviewer was shown of the item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.types import Decision


def decision_row(
    decision: Decision, index: int, shown: BatchItemRow | None, *, own: bool = True
) -> DecisionRow:
    """Turn a decision into a row, with what the reviewer was shown; a machine is shown nothing.

    Args:
        decision: What was said.
        index: The item's place in the pool.
        shown: The item as it stands in a batch, if it does.
        own: Whether the answer came by the batch's own sheet or screen; elsewhere nobody knows
            that a blind item was asked without its proposal, so that it measures nothing.
    """
    machine = decision.kind == "machine"
    seen = what_was_shown(None if machine else shown, own=own)
    return DecisionRow(
        item_index=index,
        item_id=decision.item_id,
        action=decision.action,
        value=decision.value,
        reviewer=decision.reviewer,
        batch=None if shown is None else shown.batch,
        seconds=decision.seconds,
        comment=decision.comment,
        source=decision.source,
        decided_at=decision.decided_at or datetime.now(UTC),
        kind=decision.kind,
        **seen,
    )


def what_was_shown(
    shown: BatchItemRow | None, *, blind: bool = False, own: bool = True
) -> dict[str, Any]:
    """Give the columns of a decision that say what its reviewer was shown.

    Args:
        shown: The item as it stands in a batch, if a person was asked in one.
        blind: Whether the proposal was kept from this reviewer though the batch shows it.
        own: As for `decision_row`.
    """
    unseen = shown is not None and (blind or (shown.blind and own))
    visible = None if shown is None or blind or shown.blind else shown
    value = None if visible is None else visible.proposed
    first = None if visible is None or not visible.proposal else visible.proposal[0]
    alone = first is not None and value == (first.part,) and not first.part.place
    return {
        "blind": unseen,
        "audit": own and measures(shown, blind=unseen),
        "shown": value,
        "shown_label": first.label if first is not None and alone else None,
        "shown_probability": first.probability if first is not None and alone else None,
    }


def measures(shown: BatchItemRow | None, *, blind: bool) -> bool:
    """Tell whether an answer belongs to the audit, by what was drawn.

    Args:
        shown: The item as it stands in a batch, if a person was asked in one.
        blind: Whether they were asked without the proposal.
    """
    return shown is not None and blind and shown.blind and shown.reason == "audit"
