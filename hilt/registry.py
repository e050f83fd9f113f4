"""Names to classes, imported only when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from hilt.errors import ConfigError, ExtensionError, UnknownNameError
from hilt.own_code import blamed_on, shortened

SINGULAR = {"tasks": "task", "media": "medium"}
MAX_NAME_LENGTH = 100  # characters of a name that are compared with others


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed name was probably meant, or nothing when none is near."""
    match = get_close_matches(name[:MAX_NAME_LENGTH], list(allowed), n=1, cutoff=0.6)
    return f" Did you mean: {match[0]}?" if match else ""


def import_object(path: str) -> Any:  # noqa: ANN401 - what stands there decides
    """Import `"package.module:Name"`.

    Raises:
        ExtensionError: If the module is there and cannot be imported.
        UnknownNameError: If the path has no colon, or there is no such module or name.
    """
    module, name = _parts(path)
    with blamed_on(f"{_shown(path)}: importing {shortened(module, MAX_NAME_LENGTH)}"):
        try:
            imported = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and (module + ".").startswith(error.name + "."):
                raise UnknownNameError(
                    f"{_shown(path)}: there is no module {_shown(error.name)}."
                ) from None
            raise
        try:
            return getattr(imported, name)
        except AttributeError:
            hint = nearest(name, dir(imported))
            raise UnknownNameError(f"{_shown(path)}: {module} has no {name!r}.{hint}") from None


def _shown(name: str) -> str:
    return repr(shortened(name, MAX_NAME_LENGTH))


def _parts(path: str) -> tuple[str, str]:
    module, separator, name = path.partition(":")
    if not (separator and module and name) or module.startswith("."):
        raise UnknownNameError(f"{_shown(path)} is not of the form 'package.module:Class'.")
    return module, name


REBUILD = "correct it or its settings; --debug shows where it failed"


@dataclass(frozen=True, slots=True)
class Registry:
    """One kind of thing, by name: `kind` to `"hilt.selectors.hybrid:Hybrid"`.

    A third party adds to it with an entry point in the group `hilt.<plural>`; a name with a
    colon is imported as it stands.

    Attributes:
        what: What it is called in messages.
        built_in: The names that hilt brings.
        methods: What every object of it must have.
        builder: The class method that builds one; the class itself where it is empty.
        given: What hilt passes to it by place, before the settings of the configuration.
        named: What hilt passes to it by name.
        plural: Of `what`, where it is not made with an s.
    """

    what: str
    built_in: Mapping[str, str]
    methods: tuple[str, ...] = ()
    builder: str = ""
    given: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    plural: str = ""

    def names(self) -> list[str]:
        """List every registered name, sorted."""
        return sorted({*self.built_in, *self._third_party()})

    def load(self, name: str) -> Any:  # noqa: ANN401 - each registry has its own protocol
        """Import what `name` stands for.

        Raises:
            ExtensionError: If what it stands for cannot be imported.
            UnknownNameError: If nothing is registered under it.
        """
        return import_object(self._path(name))

    def __contains__(self, name: str) -> bool:
        """Tell whether `name` is registered, or is of the form that is imported as it stands."""
        return ":" in name or name in self.names()

    def is_own(self, name: str) -> bool:
        """Tell whether what `name` stands for is the user's own, or a third party's."""
        return name not in self.built_in

    def make(
        self,
        name: str,
        who: str,
        settings: Mapping[str, Any],
        /,
        *given: Any,  # noqa: ANN401 - each registry has its own protocol
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Build an object of what `name` stands for.

        Args:
            name: The kind.
            who: What to call it in messages.
            settings: What the configuration says of it.
            given: What every kind is built with, by place.
            named: What every kind is built with, by name.

        Raises:
            ExtensionError: If it is the user's own and cannot be built, or lacks a method.
            UnknownNameError: If nothing is registered under the name.
        """
        if not self.is_own(name):
            return self._builder(name, who)(*given, **named, **settings)
        with blamed_on(who, REBUILD):
            build = self._builder(name, who)
            settings = _checked(build, who, settings, given, named)
            made = build(*given, **named, **settings)
            lacking = [method for method in self.methods if not hasattr(made, method)]
        if lacking:
            raise ExtensionError(f"{who} has no {lacking[0]}; a {self.what} must have it.")
        return made

    def find(self, name: str) -> None:
        """Make sure that `name` stands for something; what hilt brings is not imported.

        Raises:
            ExtensionError: If what it stands for cannot be imported.
            UnknownNameError: If nothing is registered under it, or what it names is not there.
        """
        if self.is_own(name):
            self.load(name)

    def check(self, name: str, settings: Mapping[str, Any]) -> None:
        """Do what `find` does, and check `settings` where they are for a class of the user's own.

        Raises:
            ExtensionError: If what it stands for cannot be imported, or does not take them.
            UnknownNameError: If nothing is registered under it, or what it names is not there.
        """
        if self.is_own(name):
            build = self._builder(name, name)
            with blamed_on(name, REBUILD):
                _checked(build, name, settings, self.given, dict.fromkeys(self.named))

    def _builder(self, name: str, who: str) -> Any:  # noqa: ANN401
        build = self.load(name)
        if not callable(build):
            raise ExtensionError(f"{who} is {shortened(repr(build), 60)}; it must be a class.")
        if not self.builder:
            return build
        if not callable(getattr(build, self.builder, None)):
            raise ExtensionError(f"{who} has no {self.builder}; a {self.what} must have it.")
        return getattr(build, self.builder)

    def check_serves(self, name: str, who: str, **wanted: str) -> None:
        """Make sure that what `name` stands for serves what a workspace has.

        A class says which tasks and media it serves in attributes of these names, as one name or a
        tuple of them; one without such an attribute serves all.

        Args:
            name: The kind.
            who: What to call it in messages.
            wanted: By the name of the attribute, as `tasks="single"`.

        Raises:
            ConfigError: If it does not.
            ExtensionError: If what it stands for cannot be imported.
            UnknownNameError: If nothing is registered under it.
        """
        for attribute, value in wanted.items():
            served = self._served(name, attribute, value)
            if value in served:
                continue
            others = [
                each for each in self.names() if value in self._served(each, attribute, value)
            ]
            use = f"{', '.join(others)}, or a class" if others else "a class"
            raise ConfigError(
                f"{who} does not serve the {SINGULAR[attribute]} {value!r}, only"
                f" {', '.join(served)}; use {use} of your own."
            )

    def serves(self, name: str, **wanted: str) -> bool:
        """Tell whether what `name` stands for serves all that is wanted; see `check_serves`."""
        return all(value in self._served(name, each, value) for each, value in wanted.items())

    def _served(self, name: str, attribute: str, value: str) -> tuple[str, ...]:
        served = getattr(self.load(name), attribute, value)
        return (served,) if isinstance(served, str) else tuple(served)

    def _path(self, name: str) -> str:
        path = name if ":" in name else self.built_in.get(name) or self._third_party().get(name)
        if path is None:
            raise UnknownNameError(
                f"Unknown {self.what} {_shown(name)}.{nearest(name, self.names())}"
                f" Available: {', '.join(self.names())}."
            )
        return path

    def _third_party(self) -> dict[str, str]:
        return _registered(f"hilt.{self.plural or self.what + 's'}")


def _checked(build: Any, who: str, settings: Mapping[str, Any], *passed: Any) -> dict[str, Any]:  # noqa: ANN401
    from hilt.own_settings import checked_settings  # here, because it loads pydantic

    return checked_settings(build, who, settings, *passed)


@cache
def _registered(group: str) -> dict[str, str]:
    """List the entry points of a group; every installed package is looked at, so only once."""
    return {point.name: point.value for point in entry_points(group=group)}
