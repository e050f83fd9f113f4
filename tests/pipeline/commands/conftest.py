"""The command line as it is when it is called by its name, on any kind of console."""

import io
import sys
from collections.abc import Callable

import pytest

from hilt.pipeline.cli import main

Call = Callable[..., tuple[int, str, str]]


class Console(io.TextIOWrapper):
    """What Python opens for a console, or a pipe, of some encoding."""

    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def shown(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls hilt; returns the exit code, and what stands on standard output and error."""

    def call_main(
        *arguments: object, encoding: str = "utf-8", terminal: bool = False
    ) -> tuple[int, str, str]:
        out, err = Console(encoding, terminal), Console(encoding, terminal)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["hilt", *map(str, arguments)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as leaving:
                main()
        return int(leaving.value.code or 0), out.shown(), err.shown()

    return call_main
