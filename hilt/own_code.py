"""Code that is not hilt's, such as a proposer of the user's own: what it raises names it."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import TracebackType

from hilt.errors import ExtensionError, HiltError

NOT_THEIRS = (Path(__file__).parent, Path(importlib.__file__).parent)
MEND = "correct it; --debug shows where it failed"
MAX_REASON_LENGTH = 300  # characters of what was raised that a message shows


class blamed_on:
    """Turns what a user's code raises into a sentence that names it, the file and the line.

    A `SystemExit` is a failure too: the program would end as if all had been done. What hilt
    raises itself, and Ctrl-C, pass.

    Args:
        who: What is called, such as `Proposer 'mine' (package.module:Mine)`.
        todo: What the user can do about it.

    Raises:
        ExtensionError: If anything is raised within.
    """

    def __init__(self, who: str, todo: str = MEND) -> None:
        self.who = who
        self.todo = todo

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, HiltError | KeyboardInterrupt):
            told = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
            raise ExtensionError(
                f"{self.who} failed with {shortened(told)}{place_of(error)}; {self.todo}."
            ) from error


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # it is of the user's own, too
        return ""


def shortened(text: str, longest: int = MAX_REASON_LENGTH) -> str:
    """Put a text on one line, and cut it where it is too long for a sentence."""
    line = " ".join(text[: 4 * longest].split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def place_of(error: BaseException) -> str:
    """Say where in the user's file it was raised: the deepest line of the first file not hilt's."""
    trace = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in trace if _is_users(frame.filename)]
    lines = [frame.lineno for frame in frames if frame.filename == frames[0].filename]
    return f" ({frames[0].filename}, line {lines[-1]})" if frames else ""


def _is_users(file: str) -> bool:
    return not (file.startswith("<") or any(place in Path(file).parents for place in NOT_THEIRS))
