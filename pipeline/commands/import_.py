"""`hilt import`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial as partial_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Delimiter, Encoding, Format, Json, Quoting, Work
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
    file: Annotated[
        Path, typer.Argument(help="The file with the answers: .csv, .xlsx, .jsonl, ...")
    ],
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="The reviewer of lines that do not name one.")
    ] = REVIEWER,
    partial: Annotated[
        bool, typer.Option("--partial", help="Store the valid lines even if others are rejected.")
    ] = False,
    gold: Annotated[
        bool,
        typer.Option(
            "--gold",
            help="These answers are known to be right: the review screen mixes their items in,"
            " blind, and measures reviewers by them.",
        ),
    ] = False,
    format: Format = None,  # noqa: A002 - named like the option
    match: Annotated[
        str,
        typer.Option(
            "--match",
            help="How to find the item of a line: `text` by its text; `auto` by batch and"
            " rank, or by id, or by text if the file has no ids.",
        ),
    ] = "auto",
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            help="What the file contains: `decisions` made by people, or `proposals`, the"
            " labels of a machine (predictions, a release). `hilt propose` then uses these"
            " proposals as one more proposer.",
        ),
    ] = DECISIONS,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quoting: Quoting = "auto",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read answers from a file and store them. Reading a file twice does no harm.

    A file that only has the columns `id` and `label`, or `text` and `label`, works too, for labels
    that you already have. The column names of the pool's file are understood as well.

    A file of `hilt export --decisions` is recognised by its first line. In a new workspace with the
    same pool and labels it restores the same state: batches, decisions, audit. In a workspace with
    another pool or other labels it adds the decisions as labels given before, found by id and text.

    With `--as proposals` the file has the columns `id` or `text`, `label`, and optionally
    `probability`. It decides nothing: its labels are stored as those of a proposer called
    `given-FILE`, which `hilt propose` then uses in addition to those of the configuration.
    Importing a file of the same name replaces it; to undo it, delete the file that is printed, and
    propose again.
    """
    from hilt.pipeline.loop_state import LoopState
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
    retry = NextStep(("import", work, file, *_options(given)))
    then = retry if again else next_step(LoopState.read(workspace))

    text = partial_(_say, result, file if again else None)
    emit(result, as_json=json, text=text, then=then)


def _say(result: RecordResult, again: Path | None) -> None:
    """Say what became of a file; `again` is the file where it has to be imported again."""
    differ = (
        f" {result.changed} of the stored decisions replace different ones of the same"
        " reviewer; if another person gave these answers, name that person with --reviewer."
    )
    known = f"{counted(result.added, 'decision')} stored, {result.unchanged} already known."
    say(known + (differ if result.changed else ""))
    if result.as_labels:
        say(result.as_labels)
    if result.batches:
        say(
            f"{counted(result.batches, 'batch', 'batches')} restored. Students are not part of"
            " such a file."
        )
    if result.machine:
        left = counted(result.machine, "answer of proposers was", "answers of proposers were")
        say(f"{left} left out, because no person gave them.")
    if result.mended:
        ids = counted(result.mended, "id was", "ids were")
        say(f"{ids} changed by a program; the items were found by rank and text.")
    _say_rejected(result.rejected)
    if result.unanswered:
        say(f"{counted(result.unanswered, 'line is', 'lines are')} not answered yet.")
    if result.open_items:
        say(f"{counted(result.open_items, 'item is', 'items are')} still open in the batch.")
    if again is not None:
        say(f"Correct or answer these lines in {again}, and import it again.")


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
            f"{' and '.join(beside)} is about decisions; leave it out with `--as {PROPOSALS}`."
        )


def _say_proposals(result: GivenProposals) -> None:
    before = "" if result.replaced is None else f", replacing the {result.replaced:,} it had"
    stored = counted(result.proposals, "proposal")
    say(f"{stored} stored for the proposer {result.proposer}{before}.")
    if result.from_people:
        left = counted(result.from_people, "row", "rows")
        say(f"Left out: {left} labelled by people; import these as decisions, without --as.")
    if result.unlabelled:
        say(f"{counted(result.unlabelled, 'row has', 'rows have')} no label.")
    _say_rejected(result.rejected)
    say(f"To undo this, delete {result.table} and run `hilt propose` again.")


def _options(given: Mapping[str, str | bool | None]) -> tuple[str, ...]:
    """Write the options that are not left at their defaults."""
    words: list[str] = []
    for name, value in given.items():
        if value is True:
            words.append(name)
        elif value and value != REVIEWER:
            words += [name, str(value)]
    return tuple(words)
