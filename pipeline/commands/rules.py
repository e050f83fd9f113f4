"""`hilt rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilt.figures import counted, percent, points
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table

if TYPE_CHECKING:
    from hilt.pipeline.proposing.rule_table import Accuracy

COLUMNS = ["rule", "votes", "coverage", "overlaps", "conflicts", "accuracy", "accuracy (audit)"]


def rules(work: Work, json: Json = False, debug: Debug = False) -> None:
    """Show the coverage, conflicts and accuracy of every rule.

    There are two columns for accuracy. Only the one on audit items holds for the whole pool: the
    other items were picked because they are hard, and people saw proposals for them. Nothing is
    written, so you can edit the rules in the workspace's `hilt.yaml` and try again.
    """
    from hilt.pipeline.proposing import rule_table as tried
    from hilt.pipeline.reviewing.next_steps import NextStep
    from hilt.pipeline.workspace.workspace import open_workspace

    result = tried.rules(open_workspace(work, progress=Bars()))

    def text() -> None:
        rows = [
            [
                row.rule,
                f"{row.votes:,}",
                *(percent(share) for share in (row.coverage, row.overlaps, row.conflicts)),
                _right(row.people),
                _right(row.audit),
            ]
            for row in result.rules
        ]
        show_table("Rules", COLUMNS, rows)
        say(
            f"At least one rule votes on {percent(result.covered)} of"
            f" {counted(result.items, 'item')}; {counted(result.human_labels, 'is', 'are')}"
            f" labelled by people ({result.audit_labels:,} of them blind, for the audit)."
        )

    emit(result, as_json=json, text=text, then=NextStep(("propose", work)))


def _right(measured: Accuracy | None) -> str:
    if measured is None:
        return "-"
    interval = f"{points(measured.low)}-{points(measured.high)}"
    return f"{percent(measured.accuracy)} ({interval}) of {measured.items:,}"
