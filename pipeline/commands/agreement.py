"""`hilt agreement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hilt.figures import between, counted, percent
from hilt.pipeline.commands.duplicates import say_contrary
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, say, show_table

if TYPE_CHECKING:
    from hilt.intervals import Share
    from hilt.review.agreement import Agreement, Estimate


def agreement(
    work: Work,
    settle: Annotated[
        Literal["majority", "skill"] | None,
        typer.Option(
            "--settle",
            help="Settle disagreements by a rule and store each result as a decision:"
            " `majority` takes the label that more than half of the reviewers chose, `skill`"
            " weights reviewers by how good each is at each label (Dawid and Skene).",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show how well people agree, per label and per pair, and how accurate each is on gold items.

    Intervals are at 95 %, by bootstrap over the items. The best way to settle a disagreement is to
    let a person decide, in `hilt review`.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing import disagreements
    from hilt.pipeline.reviewing.next_steps import NextStep, next_step
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work)
    result = disagreements.agreement(workspace, settle=settle)
    then = NextStep(("review", work)) if result.disputed else next_step(LoopState.read(workspace))

    def text() -> None:
        if result.settled:
            say(f"{counted(result.settled, 'disagreement')} settled by {settle}.")
        if not result.agreement.items:
            say(
                "No item has labels from two people yet; set `review.overlap` to ask several"
                " people about the same items."
            )
        else:
            _show_agreement(result.agreement)
        if result.gold:
            rows = [[name, str(share.items), _share(share)] for name, share in result.gold.items()]
            show_table(
                "Accuracy on items with known answers", ["reviewer", "items", "accuracy"], rows
            )
        if result.disputed:
            say(f"{counted(result.disputed, 'item waits', 'items wait')} to be settled.")
        if (result.disputed or settle == "skill") and result.little_known:
            say(disagreements.doubt_of_skill(result.little_known))
        say_contrary(work, result.contrary)

    emit(result, as_json=json, text=text, then=then)


def _show_agreement(found: Agreement) -> None:
    measures = (
        ("pairs that agree", found.percent),
        ("Fleiss' kappa", found.fleiss),
        ("Krippendorff's alpha", found.alpha),
    )
    rows = [[name, _estimate(value)] for name, value in measures]
    show_table(f"Agreement on {counted(found.items, 'item')}", ["measure", "value"], rows)
    rows = [
        [each.label, str(each.items), _estimate(each.percent), _estimate(each.alpha)]
        for each in found.labels
    ]
    show_table("By label, against all others", ["label", "items", "agree", "alpha"], rows)
    rows = [
        [
            " and ".join(each.reviewers),
            str(each.items),
            _estimate(each.percent),
            _estimate(each.kappa),
        ]
        for each in found.pairs
    ]
    show_table("By pair", ["reviewers", "items", "agree", "Cohen's kappa"], rows)


def _estimate(value: Estimate | None) -> str:
    return "-" if value is None else f"{value.value:.2f} ({value.low:.2f} to {value.high:.2f})"


def _share(share: Share) -> str:
    return f"{percent(share.share)} ({between(share.low, share.high)})"
