"""Batches out to people, decisions back in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial as partial_
from pathlib import Path

from hilt.errors import ConfigError, DataError, WorkspaceError
from hilt.outputs import output_file
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.decisions_file import CALLED, DecisionsFile, is_decisions_file
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.reviewing.recording import RecordResult, Source, take
from hilt.pipeline.reviewing.restoring import restore
from hilt.pipeline.reviewing.sheets import why_kept
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.gate import name_misfit, with_plain_numbers
from hilt.pipeline.workspace.labels import ADJUDICATIONS
from hilt.pipeline.workspace.matching import MATCHES
from hilt.pipeline.workspace.workspace import Workspace
from hilt.reading.options import Options
from hilt.review.base import EXCHANGES, GOLD, Answered, Exchange
from hilt.review.simulated import SimulatedReviewer
from hilt.tasks.base import Task
from hilt.types import Batch, Content, Decision, DecisionKind

REVIEWER = "reviewer"  # who decided, where nobody says
BY_WORD = "blind by the caller's word"  # in the source of answers that `record` was told are blind
NOBODYS: tuple[DecisionKind, ...] = ("gold", "simulated")  # `blind` says nothing about these


def export(
    workspace: Workspace,
    file: Path | str,
    *,
    batch: int | None = None,
    format: str | None = None,  # noqa: A002 - named like the option
    simulated: bool = False,
    force: bool = False,
) -> Batch:
    """Write a batch to a file for review.

    Args:
        workspace: Where the batch is.
        file: Its ending (.jsonl, .csv) decides the format.
        batch: Which batch, all of it that has a text; the undecided items of the open one by
            default.
        format: `jsonl` or `csv`, instead of the file's ending.
        simulated: Let the simulated reviewer fill in the answers.
        force: Move an existing file to NAME.bak-1.

    Raises:
        WorkspaceError: If there is no such batch.
        OutputError: If a file stands there that hilt did not write, or that holds answers which
            are not stored.
        DataError: If there is no answer key to simulate a reviewer with.
        UnknownNameError: If there is no such format.
    """
    path = Path(file)
    exchange = _exchange(path, format, workspace.task)
    state = LoopState.read(workspace)
    if batch is not None:
        written = state.batch(batch)
        written = replace(written, items=tuple(item for item in written.items if item.text.strip()))
    else:
        if state.open_batch is None:
            raise WorkspaceError(
                f"{workspace.folder} has no open batch; run `{next_step(state)}`, or name an"
                " earlier batch with --batch."
            )
        written = state.undecided(state.open_batch)
    reviewer = simulated_reviewer(workspace) if simulated else None
    answers = () if reviewer is None else reviewer.review(written, _contents(workspace, written))
    with output_file(
        path,
        force=force,
        ledger=workspace.ledger,
        keep=partial_(why_kept, state, exchange, with_names_of_pool(workspace.config, Options())),
        note=workspace.progress.note,
    ) as temporary:
        exchange.write(written, temporary, workspace.task, answers)
    return written


def import_answers(
    workspace: Workspace,
    file: Path | str,
    *,
    reviewer: str = REVIEWER,
    partial: bool = False,
    gold: bool = False,
    format: str | None = None,  # noqa: A002 - named like the option
    match: str = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: str = "auto",
) -> RecordResult:
    """Read answers from a file and store them; reading it again changes nothing.

    Args:
        workspace: Where the batch came from.
        file: What `export` wrote, answered; a file with just `id` and `label`, or `text` and
            `label`, works too, and so do the names that the pool's file has for these columns. Or
            what `export_decisions` wrote: a workspace of the same pool and labels that has nothing
            yet, or only the beginning of it, gets the same state; one of others gets the answers of
            people as labels given before.
        reviewer: The reviewer of lines that do not name one.
        partial: Store the valid lines even if others are rejected.
        gold: The answers are known to be right, so that they measure reviewers.
        format: `jsonl` or `csv`, instead of the file's ending.
        match: `text` finds items by their texts; `auto` only if there is no id.
        encoding: Encoding of the file; default: from its byte order mark, else UTF-8.
        delimiter: The character between fields; default: detected.
        quoting: What `"` means: `fields` (it encloses them), `none` (an ordinary character) or
            `auto`.

    Raises:
        DataError: If the file cannot be read, or a line does not fit and `partial` is not set;
            then nothing is stored.
    """
    path = Path(file)
    options = Options.checked(encoding=encoding, delimiter=delimiter, quoting=quoting)
    if match not in MATCHES:
        raise ConfigError(f"`match` is {match!r}. Allowed: {', '.join(MATCHES)}.")
    if (reason := name_misfit(reviewer.strip())) is not None:
        raise DataError(f"`--reviewer`: {reason}")
    if format in CALLED and is_decisions_file(path):
        _refuse_beside(
            path,
            {
                "--gold": gold,
                "--reviewer": reviewer != REVIEWER,
                "--encoding": options.encoding is not None,
                "--delimiter": options.delimiter is not None,
                "--quoting": options.quoting != "auto",
            },
        )
        with workspace.locked():
            state, database = LoopState.read(workspace), workspace.database
            return restore(state, database, DecisionsFile(path), Source(path, partial), match)
    exchange = _reading_exchange(path, format, workspace.task)
    options = with_names_of_pool(workspace.config, options)
    answers = exchange.read(path, workspace.task, reviewer, options)
    for warning in answers.warnings:
        workspace.progress.note(warning)
    lines = answers.lines
    if gold:
        known = partial_(replace, reviewer=GOLD, kind="gold")
        lines = tuple(replace(line, decision=known(line.decision)) for line in lines)
    source = Source(path, partial, answers.rejections, answers.unit)
    with workspace.locked():
        taken = take(LoopState.read(workspace), workspace.database, lines, source, match=match)
    return replace(taken, unanswered=answers.unanswered)


def _refuse_beside(path: Path, given: Mapping[str, bool]) -> None:
    """Refuse options that have no meaning for a file of all decisions."""
    beside = [name for name, value in given.items() if value]
    if beside:
        raise DataError(
            f"{path} contains all decisions of a workspace, with who gave which answer, which ones"
            f" are known answers, and how it is written; leave out {' and '.join(beside)}."
        )


def record(
    workspace: Workspace,
    decisions: Sequence[Decision],
    *,
    batch: int | None = None,
    blind: bool = False,
) -> RecordResult:
    """Store decisions, all or none.

    Args:
        workspace: Where they belong.
        decisions: What was said.
        batch: The batch in which it was asked, where a decision names none.
        blind: Confirms that whoever answered blind items of the batch saw no proposal.
            Without it such answers are labels, but no part of the audit. Noted in the decisions'
            source, except for known and simulated answers, which are no person's.

    Raises:
        DataError: If one does not fit, `blind` is no bool, or is said of no batch or of what
            settles a disagreement.
    """
    if not isinstance(blind, bool):
        raise DataError(f"`blind` is {blind!r}; it must be True or False.")
    sound = [each for each in decisions if isinstance(each, Decision)]
    if blind and batch is None and any(each.batch is None for each in sound):
        raise DataError("`blind` is about a batch; name the batch too, with `batch`.")
    if blind and any(each.kind in ADJUDICATIONS for each in sound):
        raise DataError(
            "`blind` cannot be true for a decision that settles a disagreement, because the"
            " decisions of others are shown for it; record it without `blind`."
        )
    said = [Answered(_told(each, batch, blind)) for each in decisions]
    with workspace.locked():
        return take(LoopState.read(workspace), workspace.database, said, Source(), own=blind)


def _told(decision: Decision, batch: int | None, blind: bool) -> Decision:
    if not isinstance(decision, Decision):
        return decision
    batch = batch if decision.batch is None else decision.batch
    source = decision.source
    if blind and decision.kind not in NOBODYS:
        source = _noted(source)
    return with_plain_numbers(replace(decision, batch=batch, source=source))


def _noted(source: str) -> str:
    """Write the caller's word into a source; what is no text is for the gate."""
    if not isinstance(source, str) or source.startswith(BY_WORD):
        return source
    return BY_WORD if source == "file" else f"{BY_WORD}; {source}"


def with_names_of_pool(config: Config, options: Options) -> Options:
    """Let the pool's names of its columns count in files of answers."""
    pool = config.pool
    names = {"id": pool.id, "text": pool.text, "label": pool.label}
    synonyms = tuple((name, other) for name, other in names.items() if other)
    return replace(options, synonyms=synonyms)


def simulate(workspace: Workspace, batch: Batch) -> RecordResult:
    """Let the simulated reviewer answer a batch.

    Raises:
        DataError: If the pool has no known labels.
    """
    reviewer = simulated_reviewer(workspace)
    said = [Answered(each) for each in reviewer.review(batch, _contents(workspace, batch))]
    with workspace.locked():
        return take(LoopState.read(workspace), workspace.database, said, Source(), own=True)


def _contents(files: WorkspaceFiles, batch: Batch) -> list[Content]:
    return files.pool.contents([item.index for item in batch.items])


def simulated_reviewer(files: WorkspaceFiles) -> SimulatedReviewer:
    """Build the reviewer that answers from the pool's answer key.

    Raises:
        DataError: If the pool has no known labels.
    """
    if not files.pool.has_answer_key:
        raise DataError(
            "There is no answer key: name the column with known labels as `pool.label` in the"
            " configuration, and run `hilt init` again."
        )
    answers = files.pool.known_answers(files.task)
    known = dict(zip(files.pool.ids(list(answers)), answers.values(), strict=True))
    settings = files.config.simulation.model_dump()
    return SimulatedReviewer(known, files.task.answers, **settings, seed=files.config.seed)


def _exchange(path: Path, kind: str | None, task: Task) -> Exchange:
    name = kind or path.suffix.lstrip(".") or "jsonl"
    exchange: Exchange = EXCHANGES.make(name, f"exchange {name!r}", {})
    lacking = exchange.lacks(task)
    if lacking is not None:
        raise DataError(lacking)
    return exchange


def _reading_exchange(path: Path, kind: str | None, task: Task) -> Exchange:
    """Find what reads a file; one without a format of its own is a table of some kind."""
    ending = path.suffix.lstrip(".")
    return _exchange(path, kind or (ending if ending in EXCHANGES.names() else "csv"), task)
