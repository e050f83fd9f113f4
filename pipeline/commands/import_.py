"""`hilt import`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial as partial_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Delimiter, Encoding, Json, Quoting, Work
from hilt.pipeline.commands.terminal import Bars, emit, say
from hilt.registry import nearest

if TYPE_CHECKING:
    from hilt.pipeline.reviewing.given_proposals import GivenProposals
    from hilt.pipeline.reviewing.recording import RecordResult
    from hilt.review.base import Rejection

REVIEWER = "reviewer"
DECISIONS, PROPOSALS = "decisions", "proposals"


def import_(
    work: Work,
    file: Annotated[Path, typer.Argument(help="The answered file: .csv, .xlsx, .jsonl, ...")],
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="Who decided, where the file does not say.")
    ] = REVIEWER,
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
    format: Annotated[  # noqa: A002 - named like the option
        str | None,
        typer.Option("--format", help="csv or jsonl, instead of the ending.", show_default=False),
    ] = None,
    match: Annotated[
        str,
        typer.Option(
            "--match",
            help="How items are found: `text` by their texts; `auto` by batch and rank, or id, and"
            " by text where the file has no ids.",
        ),
    ] = "auto",
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            help="`decisions`, which people made, or `proposals`: labels of a machine (predictions,"
            " a release), which are one proposer more from the next `hilt propose` on.",
        ),
    ] = DECISIONS,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quoting: Quoting = "auto",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read the answers back. Reading a file twice does no harm.

    A file with just the columns `id` and `label`, or `text` and `label`, works too, for labels
    that you have already; the names that the pool's file has for these columns are understood.

    A file of `hilt export --decisions` is known by its first line. Into a new workspace of the same
    pool and labels it brings the same state: batches, decisions, audit. Into one of another pool or
    with other labels it brings what people said as labels given before, found by id and text.

    With `--as proposals` the file has the columns `id` or `text`, `label`, and perhaps
    `probability`. Nothing is decided by it: its labels are stored as those of a proposer called
    `given-FILE`, which `hilt propose` asks from then on beside those of the configuration. Import
    a file of the same name to replace it; to undo it, delete the file that is named, and propose.
    """
    from hilt.pipeline.reviewing import answer_files, given_proposals
    from hilt.pipeline.reviewing.next_steps import NextStep, next_step
    from hilt.pipeline.workspace.workspace import open_workspace

    if as_ != DECISIONS:
        _check_as(as_, {"--reviewer": reviewer != REVIEWER, "--gold": gold, "--format": format})
    workspace = open_workspace(work, progress=Bars())
    if as_ == PROPOSALS:
        proposals = given_proposals.import_proposals(
            workspace,
            file,
            partial=partial,
            match=match,
            encoding=encoding,
            delimiter=delimiter,
            quoting=quoting,
        )
        then = NextStep(("propose", work))
        emit(proposals, as_json=json, text=partial_(_say_proposals, proposals), then=then)
        return
    result = answer_files.import_answers(
        workspace,
        file,
        reviewer=reviewer,
        partial=partial,
        gold=gold,
        format=format,
        match=match,
        encoding=encoding,
        delimiter=delimiter,
        quoting=quoting,
    )
    again = result.open_items and (result.rejected or result.unanswered)
    given: dict[str, str | bool | None] = {
        "--reviewer": reviewer,
        "--partial": partial,
        "--gold": gold,
        "--format": format,
        "--match": None if match == "auto" else match,
        "--encoding": encoding,
        "--delimiter": delimiter,
        "--quoting": None if quoting == "auto" else quoting,
    }
    then = NextStep(("import", work, file, *_options(given))) if again else next_step(workspace)

    text = partial_(_say, result, file if again else None)
    emit(result, as_json=json, text=text, then=then)


def _say(result: RecordResult, again: Path | None) -> None:
    """Say what became of a file; `again` is the file where it has to be imported again."""
    differ = (
        f" {result.changed} of the stored ones differ from what the same reviewer said before,"
        " and take its place; if somebody else gave these answers, name them with --reviewer."
    )
    known = f"{counted(result.added, 'decision')} stored, {result.unchanged} known already."
    say(known + (differ if result.changed else ""))
    if result.as_labels:
        say(result.as_labels)
    if result.batches:
        say(f"{counted(result.batches, 'batch', 'batches')} came with them. Students did not.")
    if result.machine:
        left = counted(result.machine, "answer of proposers was", "answers of proposers were")
        say(f"{left} left out, for they are no person's.")
    if result.mended:
        ids = counted(result.mended, "id was", "ids were")
        say(f"{ids} changed by a program; rank and text told the items.")
    _say_rejected(result.rejected)
    if result.unanswered:
        say(f"{counted(result.unanswered, 'line is', 'lines are')} not answered yet.")
    if result.open_items:
        say(f"{counted(result.open_items, 'item is', 'items are')} still open in the batch.")
    if again is not None:
        say(f"Mend or answer these lines in {again}, and import it again.")


def _say_rejected(rejected: Iterable[Rejection]) -> None:
    for rejection in rejected:
        say(f"Rejected: {rejection.unit} {rejection.line}: {rejection.reason}")


def _check_as(as_: str, given: Mapping[str, str | bool | None]) -> None:
    if as_ != PROPOSALS:
        raise ConfigError(
            f"`--as` is {as_!r}.{nearest(as_, (DECISIONS, PROPOSALS))}"
            f" Allowed: {DECISIONS}, {PROPOSALS}."
        )
    beside = [name for name, value in given.items() if value]
    if beside:
        raise ConfigError(
            f"{' and '.join(beside)} says something about decisions; leave it out with"
            f" `--as {PROPOSALS}`."
        )


def _say_proposals(result: GivenProposals) -> None:
    before = "" if result.replaced is None else f", in place of the {result.replaced:,} it had"
    stored = counted(result.proposals, "proposal")
    say(f"{stored} stored, of the proposer {result.proposer}{before}.")
    if result.from_people:
        left = counted(result.from_people, "row", "rows")
        say(f"Left out: {left} with what people said; without --as these are decisions.")
    if result.unlabelled:
        say(f"{counted(result.unlabelled, 'row has', 'rows have')} no label.")
    _say_rejected(result.rejected)
    say(f"To undo it, delete {result.table}, and propose again.")


def _options(given: Mapping[str, str | bool | None]) -> tuple[str, ...]:
    """Write the options that are not left at their defaults."""
    words: list[str] = []
    for name, value in given.items():
        if value is True:
            words.append(name)
        elif value and value != REVIEWER:
            words += [name, str(value)]
    return tuple(words)
