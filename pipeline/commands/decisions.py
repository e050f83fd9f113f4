"""`hilt decisions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.figures import counted, cut
from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table

if TYPE_CHECKING:
    from hilt.pipeline.workspace.decisions import GivenDecision

SHOWN = 20  # the newest decisions, in a terminal
COLUMNS = ["text", "action", "label", "reviewer", "comment"]


def decisions(
    work: Work,
    flagged: Annotated[bool, typer.Option("--flagged", help="List flagged items.")] = False,
    skipped: Annotated[bool, typer.Option("--skipped", help="List skipped items.")] = False,
    commented: Annotated[
        bool, typer.Option("--commented", help="List items with a comment.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write all of them to this .csv file.", show_default=False
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List the decisions of people: labels, skips, flags and comments, each with its reviewer.

    A skip means "I cannot say", a flag "somebody should look at this"; any answer may have a
    comment. `--flagged --commented` lists items that have either. If a person decided an item
    twice, the last decision counts; `outcome` is the label of the item after all decisions. To
    change a decision, correct it in `hilt review` or import another answer.
    """
    from hilt.pipeline.workspace import decisions as said
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, progress=Bars())
    given = said.decisions(workspace, flagged=flagged, skipped=skipped, commented=commented)
    if output is not None:
        said.write_decisions(workspace, given, output, force=force)
    value = {"decisions": [each.to_dict() for each in given], "file": output}

    def text() -> None:
        if output is not None:
            say(f"{output}: {counted(len(given), 'decision')}.")
        elif given:
            _show(given)
        else:
            say(_nothing(flagged, skipped, commented))

    emit(value, as_json=json, text=text)


def _show(given: list[GivenDecision]) -> None:
    title = counted(len(given), "decision")
    if len(given) > SHOWN:
        title += f", the newest {SHOWN} of them (all with --output FILE.csv)"
    rows = [
        [cut(each.text), each.action, cut(each.label or ""), cut(each.reviewer), cut(each.comment)]
        for each in given[-SHOWN:]
    ]
    show_table(title, COLUMNS, rows)


def _nothing(flagged: bool, skipped: bool, commented: bool) -> str:
    kinds = {"flagged": flagged, "skipped": skipped, "commented on": commented}
    wanted = " or ".join(kind for kind, listed in kinds.items() if listed)
    return f"Nobody has {wanted or 'decided'} anything yet."
