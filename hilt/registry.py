"""Names to classes, imported only when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from hilt.errors import UnknownNameError


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed name was probably meant, or nothing when none is near."""
    match = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean: {match[0]}?" if match else ""


def import_object(path: str) -> Any:  # noqa: ANN401 - what stands there decides
    """Import `"package.module:Name"`.

    Raises:
        UnknownNameError: If the path has no colon, or there is no such module or name.
    """
    module, separator, name = path.partition(":")
    if not (separator and module and name) or module.startswith("."):
        raise UnknownNameError(f"{path!r} is not of the form 'package.module:Class'.")
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module + ".").startswith(error.name + "."):
            raise UnknownNameError(f"{path!r}: there is no module {error.name!r}.") from None
        raise
    try:
        return getattr(imported, name)
    except AttributeError:
        raise UnknownNameError(f"{path!r}: {module} has no {name!r}.") from None


@dataclass(frozen=True, slots=True)
class Registry:
    """One kind of thing, by name: `kind` to `"hilt.selectors.hybrid:Hybrid"`.

    A third party adds to it with an entry point in the group `hilt.<what>s`; a name with a
    colon is imported as it stands.
    """

    what: str
    built_in: Mapping[str, str]

    def names(self) -> list[str]:
        """List every registered name, sorted."""
        return sorted({*self.built_in, *self._third_party()})

    def load(self, name: str) -> Any:  # noqa: ANN401 - each registry has its own protocol
        """Import what `name` stands for.

        Raises:
            UnknownNameError: If nothing is registered under it.
        """
        if ":" in name:
            return import_object(name)
        path = self.built_in.get(name) or self._third_party().get(name)
        if path is None:
            raise UnknownNameError(
                f"Unknown {self.what} {name!r}.{nearest(name, self.names())}"
                f" Available: {', '.join(self.names())}."
            )
        return import_object(path)

    def _third_party(self) -> dict[str, str]:
        return {point.name: point.value for point in entry_points(group=f"hilt.{self.what}s")}
