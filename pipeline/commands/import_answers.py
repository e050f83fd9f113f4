"""`hilt import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, next_step, say


def import_(
    work: Work,
    file: Annotated[Path, typer.Argument(help="The answered file: .csv or .jsonl.")],
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="Who decided, where the file does not say.")
    ] = "reviewer",
    partial: Annotated[
        bool, typer.Option("--partial", help="Store the lines that fit although others do not.")
    ] = False,
    gold: Annotated[
        bool,
        typer.Option(
            "--gold",
            help="These answers are known to be right: the review screen mixes the items in, blind,"
            " and measures reviewers by them.",
        ),
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="csv or jsonl, instead of the ending.", show_default=False),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read the answers back. Reading a file twice does no harm.

    A file with just the columns `id` and `label` works too, for labels that you have already.
    """
    from hilt.pipeline import reviewing
    from hilt.pipeline.workspace import open_workspace

    result = reviewing.import_answers(
        open_workspace(work), file, reviewer=reviewer, partial=partial, kind=kind, gold=gold
    )

    def text() -> None:
        say(f"{result.added} decisions stored, {result.unchanged} known already.")
        for rejection in result.rejected:
            say(f"Rejected: line {rejection.line}: {rejection.reason}")
        if result.unanswered:
            say(f"{result.unanswered} lines are not answered yet.")
        if result.open_items:
            say(f"{result.open_items} items of the batch are still open.")
            next_step(f"hilt export {work} batch.csv")
        else:
            next_step(f"hilt cycle {work}")

    emit(result, as_json=json, text=text)
