"""Code that is not hilt's, such as a proposer of the user's own: what it raises names it."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hilt.errors import ExtensionError, HiltError

NOT_THEIRS = (Path(__file__).parent, Path(importlib.__file__).parent)
LONGEST_REASON = 300  # characters of what was raised that a message shows


@contextmanager
def blamed_on(
    who: str, todo: str = "mend it; --debug shows all of where it failed"
) -> Iterator[None]:
    """Turn what a user's code raises into a sentence that names it, the file and the line.

    A `SystemExit` is a failure too: the program would end as if all had been done. What hilt
    raises itself, and Ctrl-C, pass.

    Args:
        who: What is called, such as `Proposer 'mine' (package.module:Mine)`.
        todo: What the user can do about it.

    Raises:
        ExtensionError: If it raised anything.
    """
    try:
        yield
    except HiltError:
        raise
    except (Exception, SystemExit) as error:
        reason = shortened(f"{type(error).__name__}: {error}".removesuffix(": "))
        raise ExtensionError(f"{who} failed with {reason}{place_of(error)}; {todo}.") from error


def shortened(text: str, longest: int = LONGEST_REASON) -> str:
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
