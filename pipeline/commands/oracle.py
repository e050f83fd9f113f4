"""`hilt oracle`."""

from __future__ import annotations

from typing import Annotated

import typer

from hilt.figures import whole_percent
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, say, show_table


def oracle(
    work: Work,
    proposer: Annotated[
        str,
        typer.Option(
            "--proposer", help="Which proposer answers: fused, student, or a proposer's name."
        ),
    ] = "fused",
    least: Annotated[
        float, typer.Option("--least", help="Minimum fused probability of a label.")
    ] = 0.95,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the answers without storing them.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Label the items of the open batch on which all models agree; leave the rest to people.

    Blind items are always left to people. The answers of a machine are stored as such; they measure
    nothing, and a decision of a person replaces them.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing import oracle as asking
    from hilt.pipeline.reviewing.next_steps import NextStep, next_step
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work)
    result = asking.oracle(workspace, proposer=proposer, least=least, dry_run=dry_run)
    same = NextStep(("oracle", work, "--proposer", proposer, "--least", f"{least:g}"))
    then = same if dry_run and result.answered else next_step(LoopState.read(workspace))

    def text() -> None:
        done = "answered" if result.stored else "would answer"
        why = ", ".join(f"{count} {reason}" for reason, count in result.contested.items() if count)
        contested = sum(result.contested.values())
        say(
            f"Batch {result.batch}: {result.reviewer} {done} {result.answered}; left to"
            f" people: {contested} contested{f' ({why})' if why else ''} and {result.blind}"
            " blind."
        )
        if result.answers:
            rows = [
                [" ".join(each.text.split())[:60], each.label, whole_percent(each.probability)]
                for each in result.answers[:10]
            ]
            show_table("The first answers", ["text", "answer", "probability"], rows)

    emit(result, as_json=json, text=text, then=then)
