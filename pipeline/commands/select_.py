"""`hilt select`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hilt.figures import counted, whole_percent
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table

if TYPE_CHECKING:
    from hilt.tasks.base import Task
    from hilt.types import Batch, BatchItem


def select(
    work: Work,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", "-n", min=1, help="Number of items in the batch.", show_default=False
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Pick as many items as fit into this many minutes of review (instead of --size).",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make a new batch; undecided items go back to the pool.")
    ] = False,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend", help="Make a new batch, and keep undecided items open alongside it."
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show for every item why it was picked.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pick the next batch for people, the audit slice included.

    While the last batch has undecided items, it is returned again; --new or --extend makes another.
    Once everything is decided, nothing is picked, and the command says so.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.selecting import batches
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, progress=Bars())
    batch = batches.select(workspace, size, minutes=minutes, new=new, extend=extend)

    def text() -> None:
        if not len(batch):
            say(f"{batch.note}.")
            return
        say(_summary(batch))
        if batch.note:
            say(f"How it was picked: {batch.note}.")
        if batch.shortage:
            say(f"{batch.shortage}.")
        if explain:
            _explain(batch)
        else:
            rows = [_row(item) for item in batch.items[:10]]
            show_table("The first items", ["text", "reason", "score", "proposal"], rows)

    value, then = batch_value(batch, workspace.task), next_step(LoopState.read(workspace))
    emit(value, as_json=json, text=text, then=then)


def _summary(batch: Batch) -> str:
    blind = sum(item.blind for item in batch.items)
    again = sum(item.reason == "recheck" for item in batch.items)
    seconds = [item.why.seconds for item in batch.items if item.why and item.why.seconds]
    return (
        f"Batch {batch.number}: {counted(len(batch), 'item')}, {blind} of them blind, to"
        " measure"
        + (f", {again} asked again" if again else "")
        + (f"; about {_minutes(sum(seconds))}." if len(seconds) == len(batch) else ".")
    )


def _minutes(seconds: float) -> str:
    return counted(max(1, round(seconds / 60)), "minute")


def _explain(batch: Batch) -> None:
    from hilt.pipeline.selecting.explanation import in_words as why_in_words

    for item in batch.items:
        say(f"{item.rank + 1}. {' '.join(item.text.split())[:90]}")
        say(f"   {why_in_words(item)}")


def _row(item: BatchItem) -> list[str]:
    from hilt.values import in_words

    text = " ".join(item.text.split())[:60]
    if item.blind:
        return [text, "audit", "", ""]
    chances = [each.probability for each in item.proposal if each.part in (item.proposed or ())]
    told = "" if item.proposed is None else in_words(item.proposed)
    sure = f" {whole_percent(min(chances))}" if chances else ""
    return [text, item.reason, f"{item.score:.2f}", told + sure]


def batch_value(batch: Batch, task: Task) -> dict[str, object]:
    """Describe a batch as JSON can hold it; blind items without their proposal."""
    from hilt.pipeline.selecting.explanation import shown_why
    from hilt.review.answers.base import form_of
    from hilt.review.formats.item_records import SHOWN, records_of

    records = records_of(batch, form_of(task))
    items = [
        {name: record[name] for name in SHOWN} | {"why": shown_why(item)}
        for record, item in zip(records, batch.items, strict=True)
    ]
    return {"batch": batch.number, "note": batch.note, "shortage": batch.shortage, "items": items}
