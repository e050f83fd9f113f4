"""`hilt status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hilt.command_line import command_line
from hilt.figures import between, counted, minutes, percent, points
from hilt.pipeline.commands.duplicates import say_summary
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, say, show_table
from hilt.pipeline.commands.train import say_training

if TYPE_CHECKING:
    from hilt.pipeline.reporting.status import Status


def status(work: Work, json: Json = False, debug: Debug = False) -> None:
    """Show the state of the workspace and what to do next."""
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reporting.status import status_and_step
    from hilt.pipeline.workspace.workspace import open_workspace

    result, step = status_and_step(LoopState.read(open_workspace(work)))

    def text() -> None:
        say_items(work, result)
        if result.duplicates is not None and result.duplicates.groups:
            say_summary(work, result.duplicates)
        say_batch(result)
        _say_models(result)
        for sentence in (*result.damaged, *result.outdated):
            say(sentence)
        say_people(result)
        if result.label_counts:
            rows = [[name, str(count)] for name, count in result.label_counts.items()]
            show_table("Labels from people", ["label", "items"], rows)

    emit(result, as_json=json, text=text, then=step)


def say_items(work: Path, result: Status) -> None:
    """Print how far the items are, and which are out of the ordinary."""
    say(
        f"{work}: {counted(result.items, 'item')}, {result.human_labels:,} labelled by"
        f" people ({result.audit_labels:,} of them blind); minutes of review:"
        f" {minutes(result.review_seconds)}."
    )
    if result.skipped or result.flagged or result.commented:
        say(
            f"{result.skipped:,} skipped, {result.flagged:,} flagged, {result.commented:,}"
            f" commented; list them with `{command_line('decisions', work)}`."
        )
    if result.empty_texts:
        say(
            f"{counted(result.empty_texts, 'item has', 'items have')} no text: nobody is"
            " asked about such an item, and a release has no label for it."
        )
    if result.changed_source:
        say(_say_source(work, result.changed_source, gone=result.source_gone))
    if result.machine_labels:
        items = counted(result.machine_labels, "item has", "items have")
        say(f"{items} only the label of a machine, given by `hilt oracle`.")


def _say_source(work: Path, source: str, *, gone: bool) -> str:
    from hilt.pipeline.workspace.growing import say_gone

    if gone:
        return say_gone(source)
    return (
        f"{source} has changed since the pool was read; add its new rows with"
        f" `{command_line('init', work, '--append')}`."
    )


def say_batch(result: Status) -> None:
    """Print how far the last batch is."""
    if result.batch:
        say(f"Batch {result.batch}: {counted(result.open_items, 'item')} open.")
    if result.without_text:
        items = counted(result.without_text, "of its items has", "of its items have")
        say(f"  {items} no text, and count{'s' * (result.without_text == 1)} as decided.")


def _say_models(result: Status) -> None:
    """Print what is measured about the student and the proposers, as far as it is known."""
    from hilt.pipeline.reporting.report_tables import proposer_columns, proposer_rows

    if result.training is not None:
        say_training(result.cycle, result.training)
        proposers = proposer_rows(result.training)
        if proposers:
            show_table("Proposers", proposer_columns(result.training.score), proposers)
    for each in result.one_sided:
        say(str(each))


def say_people(result: Status) -> None:
    """Print what is measured about the people, as far as it is known."""
    from hilt.pipeline.selecting.review_cost import cost_sentence

    if result.cost is not None:
        say(cost_sentence(result.cost))
    if result.anchoring is not None:
        shown, blind = result.anchoring.shown, result.anchoring.blind
        say(
            f"Proposals accepted: {percent(shown.share)} of {shown.items} when shown,"
            f" {percent(blind.share)} of {blind.items} when blind; seeing a proposal raises"
            f" acceptance by {points(result.anchoring.difference)} points"
            f" ({points(result.anchoring.low)} to {points(result.anchoring.high)})."
        )
    if result.bulk is not None:
        say(
            f"Decisions in bulk: {percent(result.bulk.share)} of"
            f" {counted(result.bulk.items, 'holds', 'hold')} when asked again"
            f" ({between(result.bulk.low, result.bulk.high)})."
        )
    if result.disputed:
        say(f"People disagree on {counted(result.disputed, 'item')}; see `hilt agreement`.")
