"""A medium of the user's own, as the rest of hilt uses it: what it gives is checked first."""

from __future__ import annotations

from typing import Any, Protocol

from hilt.errors import ExtensionError
from hilt.media.shown import Shown
from hilt.media.text import normalise
from hilt.own_code import blamed_on, shortened
from hilt.types import Content

TAKEN = ("id", "label", "group")  # columns of every pool


class Described(Protocol):
    """What a class of the user's own must offer to be a medium.

    It may also have `name`, and any of the methods `problem`, `is_empty`, `size`, `text`, `key` and
    `likeness` of `Medium`, in place of what `OwnMedium` makes of the fields that are shown.
    """

    columns: tuple[str, ...]

    def read(self, *values: str) -> Content:
        """Make the content of an item of the values of the columns, in their order."""
        ...

    def shown(self, content: Content) -> Shown:
        """Say what a person sees: named fields."""
        ...


class OwnMedium:
    """A medium of the user's own, which is named where it fails.

    Args:
        kind: What `MEDIA` knows its class by.
        medium: What was made of it.

    Raises:
        ExtensionError: If its columns are not names, or are those of every pool.
    """

    def __init__(self, kind: str, medium: Described) -> None:
        self.who = f"Medium {kind!r}"
        self._medium = medium
        with blamed_on(self.who):
            self.name = str(getattr(medium, "name", kind))
            self.columns = tuple(medium.columns)
        if not self.columns or not all(isinstance(name, str) and name for name in self.columns):
            raise ExtensionError(
                f"{self.who}: its columns are {shortened(repr(self.columns), 80)}; they must be"
                " names, one at least."
            )
        taken = [name for name in self.columns if name in TAKEN]
        if taken or len(set(self.columns)) < len(self.columns):
            raise ExtensionError(
                f"{self.who}: its columns are {', '.join(self.columns)}; each must have a name of"
                f" its own, and none may be called {', '.join(TAKEN)}."
            )

    def read(self, *values: str) -> Content:
        """Make the content of an item of the values of the columns, in their order."""
        return self._call("read", *values)

    def problem(self, content: Content) -> str | None:
        """Say in a clause why this can be no item; without such a method anything can."""
        told = self._call("problem", content) if self._offers("problem") else None
        return None if told is None else shortened(self._checked("problem", told, str))

    def is_empty(self, content: Content) -> bool:
        """Tell whether there is nothing to label; by itself: where all fields are white space."""
        if self._offers("is_empty"):
            return bool(self._call("is_empty", content))
        return not any(value.strip() for value in self.shown(content).fields.values())

    def size(self, content: Content) -> int:
        """Say how much there is to read; by itself: the characters of all fields."""
        if self._offers("size"):
            return int(self._checked("size", self._call("size", content), int))
        return sum(map(len, self.shown(content).fields.values()))

    def shown(self, content: Content) -> Shown:
        """Say what a person sees."""
        shown: Shown = self._checked("shown", self._call("shown", content), Shown)
        texts = [each for pair in shown.fields.items() for each in pair]
        if not texts or not all(isinstance(each, str) for each in texts):
            raise ExtensionError(
                f"{self.who}: shown() returned the fields {shortened(repr(shown.fields), 80)};"
                " they must be texts by their names, one at least."
            )
        return shown

    def text(self, content: Content) -> str:
        """Put what a person sees into one text; by itself: the fields with their names."""
        if self._offers("text"):
            return str(self._checked("text", self._call("text", content), str))
        return self.shown(content).text

    def key(self, content: Content) -> str:
        """Set aside what makes no difference; by itself: case, width and white space."""
        if self._offers("key"):
            return str(self._checked("key", self._call("key", content), str))
        return normalise(self.text(content))

    def likeness(self, content: Content) -> str:
        """Give a text whose words are compared; by itself: what `text` gives."""
        if self._offers("likeness"):
            return str(self._checked("likeness", self._call("likeness", content), str))
        return self.text(content)

    def _offers(self, method: str) -> bool:
        return hasattr(self._medium, method)

    def _call(self, method: str, *given: Any) -> Any:  # noqa: ANN401 - the class decides
        with blamed_on(self.who):
            return getattr(self._medium, method)(*given)

    def _checked(self, method: str, given: Any, kind: type[Any]) -> Any:  # noqa: ANN401
        if not isinstance(given, kind) or isinstance(given, bool):
            raise ExtensionError(
                f"{self.who}: {method}() returned a {type(given).__name__}; it must return a value"
                f" of the type {kind.__name__}."
            )
        return given
