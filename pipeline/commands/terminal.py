"""How commands talk: results to standard output, progress and errors to standard error.

Everything that a command prints goes through here, so that no text, label or server's message
acts on the terminal, and what goes into a pipe is plain.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from hilt.command_line import command_line
from hilt.errors import ConfigError, HiltError
from hilt.figures import counted
from hilt.pipeline.commands.streams import json_text, printable
from hilt.plain_files import shown, why_unreadable
from hilt.progress import Advance
from hilt.registry import nearest

if TYPE_CHECKING:
    from hilt.pipeline.reviewing.next_steps import NextStep

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
WIDEST_CELL = 60  # columns of a terminal
MIN_WIDTH = 14  # to which a wide column shrinks before any narrower one does
MAX_CELL_LENGTH = 1000  # characters that are looked at
DEVICES = ("auto", "cpu", "cuda", "mps")

P = ParamSpec("P")


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Turn a user's mistake into one sentence and exit code 2; `--debug` shows the traceback."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _check_device(kwargs.get("device"))
            function(*args, **kwargs)
        except HiltError as error:
            if kwargs.get("debug"):
                raise
            say_error(str(error))
            raise typer.Exit(2) from None
        except OSError as error:  # the last net: what could not be foreseen where it arose
            if kwargs.get("debug"):
                raise
            file = "" if error.filename is None else f"{shown(str(error.filename))}: "
            say_error(
                f"{file}the operating system says: {why_unreadable(error)}. Correct that,"
                " then run the same command again; --debug shows where it happened."
            )
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            warn("Stopped. Nothing is lost: run the same command again to continue.")
            raise typer.Exit(130) from None

    return wrapped


def emit(
    value: object,
    *,
    as_json: bool,
    text: Callable[[], object],
    then: NextStep | None = None,
) -> None:
    """Print a result.

    Args:
        value: A mapping or a dataclass, for JSON.
        as_json: Whether JSON is wanted.
        text: Prints the result for people.
        then: The command that comes next.
    """
    if as_json:
        OUT.file.write(json_text(value, OUT.encoding, then) + "\n")
        OUT.file.flush()
        return
    text()
    if then is not None:
        next_step(then)


def say(line: str) -> None:
    """Print a line as it is, but for what would act on the terminal."""
    OUT.print(_text(line))


def warn(line: str) -> None:
    """Print a line for people alone, who see it also where results go elsewhere."""
    ERR.print(_text(line))


def say_error(message: str) -> None:
    """Print what went wrong."""
    ERR.print(Text.assemble(("Error: ", "bold red"), _text(message)))


def next_step(step: NextStep) -> None:
    """Say which command comes next, so that it can be pasted."""
    if step.why:
        say(step.why)
    line = command_line(*step.words, encoding=OUT.encoding)
    OUT.print(Text.assemble(("Next: ", "dim"), (line, "bold")))


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table: framed on a terminal, else plain; of a long text or name the beginning."""
    header, *cells = ([_cell(cell) for cell in row] for row in (columns, *rows))
    if OUT.is_terminal:
        OUT.print(_framed(title, header, cells), soft_wrap=False)
        return
    say(title)
    widths = [
        max(cell_len(cell.plain) for cell in column) for column in zip(header, *cells, strict=True)
    ]
    for row in (header, *cells):
        say("  ".join(_padded(row, widths)).rstrip())


def _padded(row: list[Text], widths: list[int]) -> list[str]:
    """Set the first cell of a row to the left, the others to the right, as in a framed table."""
    filling = [" " * (w - cell_len(cell.plain)) for cell, w in zip(row, widths, strict=True)]
    first, *others = (cell.plain for cell in row)
    return [first + filling[0], *map("".join, zip(filling[1:], others, strict=True))]


def _framed(title: str, header: list[Text], rows: list[list[Text]]) -> Table:
    table = Table(title=_text(title), title_justify="left", title_style="bold")
    columns = zip(header, *rows, strict=True)
    widths = [max(cell_len(cell.plain) for cell in column) for column in columns]
    for place, width in enumerate(_fitted(widths, OUT.width - 3 * len(header) - 1)):
        if place == 0:
            table.add_column(header[0], no_wrap=True, overflow="ellipsis", width=width)
        else:
            table.add_column(header[place], justify="right", overflow="fold", width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _fitted(widths: list[int], room: int) -> list[int]:
    """Narrow the widest columns until all fit, those of ordinary figures last."""
    fitted = list(widths)
    for least in (MIN_WIDTH, 1):
        while sum(fitted) > room and max(fitted) > least:
            fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _cell(content: str) -> Text:
    """Make a cell of one line that leaves room for its neighbours."""
    line = _text(" ".join(content[:MAX_CELL_LENGTH].split()))
    line.truncate(WIDEST_CELL, overflow="ellipsis")
    return line


def _text(line: str) -> Text:
    """Make a line in which nothing is markup, and nothing acts on the terminal."""
    return Text(printable(line))


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text("")
        digits = 0 if task.speed >= 10 else 1
        return Text(f"{task.speed:,.{digits}f} {task.fields['unit']}/s", style="cyan")


class Bars:
    """Draws a bar with rate and time left for every piece of work; a line at its end in a pipe."""

    @contextmanager
    def task(self, description: str, total: int, unit: str) -> Iterator[Advance]:
        """Open a piece of work of `total` units."""
        if not ERR.is_terminal:
            yield lambda amount: None
            warn(f"{description}: {counted(total, unit.removesuffix('s'), unit)}.")
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        with Progress(*columns, console=ERR) as bars:
            task = bars.add_task(printable(description), total=total, unit=unit)
            yield lambda amount: bars.advance(task, amount)

    def note(self, text: str) -> None:
        """Print a line above the bars to come."""
        warn(text)


def _check_device(device: object) -> None:
    if isinstance(device, str) and device not in DEVICES:
        raise ConfigError(
            f"--device is {device!r}.{nearest(device, DEVICES)} Allowed: {', '.join(DEVICES)}."
        )
