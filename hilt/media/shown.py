"""What a person sees of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person sees of an item.

    Attributes:
        fields: Texts by their names, in the order in which they are shown.
    """

    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """All of it as one text: with the names, where there are several fields."""
        if len(self.fields) == 1:
            return next(iter(self.fields.values()))
        return "\n".join(f"{name}: {value}" for name, value in self.fields.items())
