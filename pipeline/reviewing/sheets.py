"""Which sheet for review may be written over: one that hilt wrote, and whose answers are stored."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hilt.command_line import command_line
from hilt.errors import DataError
from hilt.outputs import NOT_OURS
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.decisions_file import is_decisions_file
from hilt.pipeline.workspace.matching import Matching
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.reading.options import Options
from hilt.reading.table import open_table
from hilt.review.answers.base import AnswerForm, form_of
from hilt.review.base import Answers, Exchange
from hilt.review.formats.answer_lines import Line, has_sheet_columns
from hilt.review.formats.answer_tables import lines_of
from hilt.review.formats.item_records import fields_of
from hilt.types import Decision

# What hilt writes and no person has to touch; elsewhere somebody's remark would be lost.
SHOWN = ("text", "blind", "reason", "score", "proposal", "probability", "alternatives")


def why_kept(state: LoopState, exchange: Exchange, options: Options, path: Path) -> str | None:
    """Say in a clause why the file at `path` must stay; None where it may be written over.

    Args:
        state: With the answers that are stored.
        exchange: What reads and writes such files.
        options: How answers are read.
        path: What stands where a sheet is to be written.
    """
    known, task = state.files.ledger.knows(path), state.files.task
    form = form_of(task)
    try:
        if is_decisions_file(path):
            return "contains the decisions of a workspace"
        answers = exchange.read(path, task, "", options)
        lines = _lines(path, form)
    except DataError:
        return None if known else NOT_OURS
    if not known and not (lines and all(has_sheet_columns(line, form) for line in lines)):
        return NOT_OURS
    lacking = _count_lacking(state, answers)
    if lacking:
        reading = command_line("import", state.files.folder, path)
        return (
            f"contains answers or remarks that are not stored: {lacking}. Store them with"
            f" `{reading}`"
        )
    return None if known or _is_as_written(state, exchange, lines) else NOT_OURS


def _count_lacking(state: LoopState, answers: Answers) -> int:
    stored = set()
    for row in state.decisions:
        stored |= {_answer(row, row.reviewer), _answer(row, "")}
    matching = Matching(state.files.pool, state.batch_items, answers.lines)
    found = [matching.find(line) for line in answers.lines]
    lacking = sum(
        isinstance(each, str) or _answer(each.decision, each.decision.reviewer) not in stored
        for each in found
    )
    return lacking + len(answers.rejections) + answers.remarks


def _answer(said: Decision | DecisionRow, reviewer: str) -> tuple[object, ...]:
    return said.item_id, said.action, said.value, said.comment, reviewer


def _is_as_written(state: LoopState, exchange: Exchange, lines: Sequence[Line]) -> bool:
    """Tell whether the lines show what hilt shows, up to how a spreadsheet writes numbers."""
    written: dict[tuple[str, str], list[str]] = {}
    for number in {_cell(line, "batch") for line in lines}:
        if not number.isdigit() or int(number) not in [each.number for each in state.batches]:
            return False
        with tempfile.TemporaryDirectory(prefix="hilt-") as folder:
            sheet = Path(folder) / "sheet"
            exchange.write(state.batch(int(number)), sheet, state.files.task)
            sheet_lines = _lines(sheet, form_of(state.files.task))
            written |= {(number, _cell(line, "id")): _shown(line) for line in sheet_lines}
    return all(
        written.get((_cell(line, "batch"), _cell(line, "id"))) == _shown(line) for line in lines
    )


def _shown(line: Line) -> list[str]:
    return [_cell(line, name) for name in SHOWN]


def _cell(line: Line, name: str) -> str:
    text = "" if isinstance(line.fields, str) else str(line.fields.get(name) or "").strip()
    try:
        return f"{float(text.replace(',', '.')):g}"
    except ValueError:
        return " ".join(text.casefold().split())


def _lines(path: Path, form: AnswerForm) -> list[Line]:
    table = open_table(path, replace(Options(), wanted=fields_of(form)))
    return list(lines_of(path, table, form))
