"""The medium `text`: an item is one text."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.media.shown import Shown


class Text:
    """One text, in one column; its content is that string. See `hilt.media.base.Medium`."""

    name = "text"
    columns = ("text",)

    def read(self, *values: str) -> str:
        """Take the text as it is."""
        return values[0]

    def problem(self, content: str) -> str | None:
        """Find none: any text can be an item."""
        return None

    def is_empty(self, content: str) -> bool:
        """Tell whether it is white space only."""
        return not content.strip()

    def size(self, content: str) -> int:
        """Count its characters."""
        return len(content)

    def shown(self, content: str) -> Shown:
        """Show it."""
        return Shown({"text": content})

    def text(self, content: str) -> str:
        """Give it as it is."""
        return content

    def key(self, content: str) -> str:
        """Set aside case, width and white space."""
        return normalise(content)

    def likeness(self, content: str) -> str:
        """Give it as it is."""
        return content

    def sizes(self, table: Any) -> npt.NDArray[np.int32]:  # noqa: ANN401 - pyarrow has no types
        """Count the characters of each text: shape (n_items,)."""
        import pyarrow.compute as pc

        lengths: npt.NDArray[np.int32] = _numbers(pc.utf8_length(table.column("text")))
        return lengths

    def empties(self, table: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401 - pyarrow has no types
        """Tell of each text whether it is white space only: shape (n_items,)."""
        import pyarrow.compute as pc

        trimmed = pc.utf8_length(pc.utf8_trim_whitespace(table.column("text")))
        return np.asarray(_numbers(trimmed) == 0)


TEXT = Text()


def normalise(text: str) -> str:
    r"""Set aside case, width and white space.

    Punctuation stays: "fired :(" and "fired :)" do not say the same.

    >>> normalise(" Two  Beers,\nPLEASE! ")
    'two beers, please!'
    """
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.split())


def _numbers(column: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - pyarrow has no types
    return np.from_dlpack(column.combine_chunks())
