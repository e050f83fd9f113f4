"""The seam between the loop and what an item is.

A source has rows with columns; a medium makes the content of an item of some of them. Embedders,
proposers and students read contents; what people see, and what is compared and exported, is what
the medium says of them. The rest of hilt never asks which medium it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from hilt.media.shown import Shown
from hilt.registry import Registry
from hilt.types import Content


class Medium(Protocol):
    """What an item is, as the rest of hilt uses it; `OwnMedium` makes one of a user's class."""

    @property
    def name(self) -> str:
        """What embedders, proposers and students call it in their `media`."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a source that it reads, and that a pool of it stores, as texts."""
        ...

    def read(self, *values: str) -> Content:
        """Make the content of an item of the values of the columns, in their order."""
        ...

    def problem(self, content: Content) -> str | None:
        """Say in a clause why this can be no item, as "it is too large"; None where it can."""
        ...

    def is_empty(self, content: Content) -> bool:
        """Tell whether there is nothing to label; the item keeps its place, and nobody is asked."""
        ...

    def size(self, content: Content) -> int:
        """Say how much there is to read, in characters or what takes a person as long."""
        ...

    def shown(self, content: Content) -> Shown:
        """Say what a person sees."""
        ...

    def text(self, content: Content) -> str:
        """Put what a person sees into one text, for lists, messages and files of answers."""
        ...

    def key(self, content: Content) -> str:
        """Set aside what makes no difference: items with equal keys share their label."""
        ...

    def likeness(self, content: Content) -> str:
        """Give a text whose words tell a near-duplicate from what is only about the same."""
        ...


@runtime_checkable
class Columnar(Protocol):
    """A medium that measures a whole pool at once, from its pyarrow.Table."""

    def sizes(self, table: Any) -> npt.NDArray[np.int32]:  # noqa: ANN401 - pyarrow has no types
        """Do what `size` does for each row: shape (n_items,)."""
        ...

    def empties(self, table: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401 - as above
        """Do what `is_empty` does for each row: shape (n_items,)."""
        ...


def make_medium(kind: str, settings: Mapping[str, Any]) -> Medium:
    """Make the medium that a configuration names.

    Raises:
        ExtensionError: If it is a class of the user's own that cannot be built.
        UnknownNameError: If there is no such kind.
    """
    who = f"Medium {kind!r}"
    if not MEDIA.is_own(kind):
        made: Medium = MEDIA.make(kind, who, settings)
        return made
    from hilt.media.own import OwnMedium

    return OwnMedium(kind, MEDIA.make(kind, who, settings))


MEDIA = Registry(
    "medium", {"text": "hilt.media.text:Text"}, methods=("columns", "read", "shown"), plural="media"
)
