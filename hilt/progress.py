"""The one seam through which long work says how far it is; silent by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Whoever looks: a terminal, a notebook, nobody."""

    def task(self, description: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        """Open a piece of work of `total` units; call what it gives with each amount done."""
        ...

    def note(self, text: str) -> None:
        """Say something that a person should read before the work goes on."""
        ...


class Silent:
    """Shows nothing."""

    @contextmanager
    def task(self, description: str, total: int, unit: str) -> Iterator[Advance]:
        """Open a piece of work that nobody looks at."""
        yield lambda amount: None

    def note(self, text: str) -> None:
        """Say it to nobody."""
