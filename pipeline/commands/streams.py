"""Standard output and standard error as users have them: any encoding, a pipe, a full disk."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from hilt.pipeline.reviewing.next_steps import NextStep

FORMAT = 1  # of what `--json` prints; it changes when a key is renamed or taken away

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but line breaks and tabs
_CONTROL_IN_JSON = re.compile(r"[\x7f-\x9f]")  # the others JSON escapes itself


class StreamError(Exception):
    """Standard output does not take what is written to it; no OSError, so as to be told apart."""


class Stream:
    """Standard output or error that copes with what it is connected to.

    A character that the encoding lacks is written as an escape. Where nothing can be written,
    standard output raises a `StreamError`; standard error, on which nothing depends, is silent.

    Args:
        stream: What Python opened.
        silent: Whether what cannot be written is left out.
    """

    def __init__(self, stream: TextIO, *, silent: bool = False) -> None:
        self._stream = stream
        self._silent = silent
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; it may be kept until `flush`."""
        if text != "":  # click tries that, and b"", and takes any error for an answer
            with self._failing():
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was kept."""
        with self._failing():
            self._stream.flush()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _abandon(self._stream)
            if not self._silent:
                raise StreamError(error.strerror) from error


@contextmanager
def robust_streams() -> Iterator[None]:
    """Let standard output and error cope with what they are connected to."""
    before = sys.stdout, sys.stderr
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, cast("TextIO", Stream(stream, silent=name == "stderr")))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def printable(text: str) -> str:
    r"""Show control characters, of which escape sequences are made, as \x1b and the like."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def json_text(value: object, encoding: str, then: NextStep | None = None) -> str:
    """Write a result as JSON that an encoding can hold; characters beyond it are escaped."""
    named = json_value(value)
    if then is not None:
        named |= {"finished": then.finished, "next_step": str(then)}
    text = json.dumps(named, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(named, indent=1, allow_nan=False)
    return _CONTROL_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_value(value: object) -> dict[str, object]:
    """Turn a result, a mapping or a dataclass, into what JSON has, after the `format` number."""
    named = plain(value)
    assert isinstance(named, dict), f"--json prints an object, not a {type(value).__name__}"
    return {"format": FORMAT, **named}


def plain(value: object) -> object:
    """Turn a value into what JSON has: dataclasses become objects, numbers beyond it null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def _abandon(stream: TextIO) -> None:
    """Lead what is still kept nowhere, so that Python does not stumble over it when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
