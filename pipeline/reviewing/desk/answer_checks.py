"""From what the page reports to rows of decisions, or to a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hilt.pipeline.reviewing.desk.assignments import Assignments
from hilt.pipeline.reviewing.desk.decision_log import DecisionLog
from hilt.pipeline.workspace.decision_rows import what_was_shown
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.gate import misfit
from hilt.pipeline.workspace.labels import UNDO
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.review.screen.protocol import Answer, Receipt
from hilt.types import DecisionKind
from hilt.values import value_of

SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Recorder:
    """Checks answers, and turns them into rows with what the reviewer was shown.

    Attributes:
        files: The items and labels that they are about.
        ledger: What was decided before.
        assignments: What was given to whom.
    """

    files: WorkspaceFiles
    ledger: DecisionLog
    assignments: Assignments

    def rows(
        self, reviewer: str, answers: Sequence[Answer], *, adjudicates: bool = False
    ) -> tuple[list[DecisionRow], list[Receipt]]:
        """Make the rows of those answers that are new and fit, and a receipt for every one."""
        rows: dict[str, DecisionRow] = {}
        receipts = []
        for answer in answers:
            reason = None
            if not self.ledger.knows(answer.key) and answer.key not in rows:
                reason = self._misplaced(reviewer, answer, rows)
                if reason is None:
                    row = self._row(reviewer, answer, adjudicates)
                    reason = misfit(row, self.files.task.answers)
                    if reason is None:
                        rows[answer.key] = row
            receipts.append(Receipt(answer.key, reason))
        return list(rows.values()), receipts

    def _misplaced(self, reviewer: str, answer: Answer, rows: dict[str, DecisionRow]) -> str | None:
        """Say why an answer cannot be about its item, or None when it can."""
        if not 0 <= answer.item < len(self.files.pool):
            return f"there is no item {answer.item}"
        if answer.act == UNDO:
            key = answer.withdraws or ""
            said = self.ledger.standing(key)
            own = said is not None and said.reviewer == reviewer and said.item == answer.item
            sent = key in rows and rows[key].item_index == answer.item
            return None if own or sent else "there is no decision left to undo"
        if answer.withdraws is not None:
            return "only the act 'undo' can withdraw a decision"
        return None

    def _row(self, reviewer: str, answer: Answer, adjudicates: bool) -> DecisionRow:
        entry = self.assignments.entries.get(answer.item)
        claim = self.assignments.claim(answer.item, reviewer)
        kept = claim is not None and claim.blind
        undoes = answer.act == UNDO
        shown = None if entry is None or undoes else entry.row
        row = DecisionRow(
            item_index=answer.item,
            item_id=self._id(answer.item),
            action=answer.act,
            value=value_of(*answer.value or ()),
            reviewer=reviewer,
            batch=None if shown is None else shown.batch,
            seconds=answer.seconds,
            comment=answer.comment.strip(),
            source=SCREEN,
            decided_at=datetime.now(UTC),
            key=answer.key,
            withdraws=answer.withdraws,
            kind="adjudication" if adjudicates else self._kind(answer),
            **what_was_shown(shown, blind=adjudicates or kept),
        )
        if shown is None:  # an item of no batch has no proposal to show
            row.blind = kept if undoes else True
        return row

    def _kind(self, answer: Answer) -> DecisionKind:
        entry = self.assignments.entries.get(answer.item)
        if answer.bulk:
            return "bulk"
        return "check" if entry is not None and self.assignments.awaits_check(entry) else "review"

    def _id(self, item: int) -> str:
        entry = self.assignments.entries.get(item)
        return entry.row.item_id if entry is not None else self.files.pool.ids([item])[0]
