"""What pydantic says about a configuration, as sentences with a line and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from hilt.errors import ExtensionError, UnknownNameError
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.options import Option, options
from hilt.pipeline.configuration.section import INSIDE, Section
from hilt.pipeline.configuration.yaml_lines import Document, KeyPath
from hilt.proposers.base import PROPOSERS
from hilt.reading.names import label_listing
from hilt.registry import Registry, nearest
from hilt.selectors.base import SELECTORS

_REGISTRIES: dict[str | int, Registry] = {"selector": SELECTORS, "proposers": PROPOSERS}
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with the line where it stands (0: nowhere in particular)."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where pydantic found an error.

    Attributes:
        path: Its location without the tags of unions.
        section: The model that holds it.
        option: Its field, or None when no field has that name.
        parent: The field in which `section` stands; None at the top.
    """

    path: KeyPath
    section: type[Section]
    option: Option | None
    parent: Option | None


def problems(errors: Sequence[ErrorDetails], document: Document) -> list[Problem]:
    """Say in sentences what pydantic found, each thing once, in the order of the file."""
    places = [_place(error["loc"]) for error in errors]
    found = {
        _problem(error, place, document)
        for error, place in zip(errors, places, strict=True)
        if not _is_consequence(error, place, places)
    }
    found |= {
        Problem(line, f"{_dotted(path)!r} occurs twice in its section; keep one.")
        for line, path in document.repeated
    }
    return sorted(found, key=lambda problem: (problem.line, problem.sentence))


def _place(loc: tuple[str | int, ...]) -> _Place:
    inside: type[Section] | None = Config  # whose fields the next step names
    holder: type[Section] = Config
    option: Option | None = None
    parent: Option | None = None
    path: list[str | int] = []
    for step in loc:
        if inside is None and option is not None and step in option.sections:
            inside = option.sections[str(step)]
            continue
        path.append(step)
        if inside is not None and isinstance(step, str):
            holder, parent, option = inside, option, options(inside).get(str(step))
            inside = option.sections.get("") if option is not None else None
    return _Place(tuple(path), holder, option, parent)


def _is_consequence(error: ErrorDetails, place: _Place, places: Sequence[_Place]) -> bool:
    """Tell whether an error only follows from another one that is reported too."""
    if error["type"] == "too_short":
        # pydantic drops a list's faulty elements, and then finds the list too short.
        return any(
            other.path[: len(place.path)] == place.path and other.path != place.path
            for other in places
        )
    # A section without a kind is read as `Custom`, which knows none of the others' fields.
    by_kind = place.parent is not None and place.parent.chosen_by_kind
    return (
        by_kind
        and error["type"] == "extra_forbidden"
        and any(other.path == (*place.path[:-1], "kind") for other in places)
    )


def _problem(error: ErrorDetails, place: _Place, document: Document) -> Problem:
    path, key = place.path, _dotted(place.path)
    if error["type"] == "value_error":
        return _own_check(str(error["ctx"]["error"]), path, document)
    if error["type"] == INSIDE:
        told = error["ctx"]
        return _own_check(told["sentence"], (*path, *told["steps"]), document)
    if error["type"] == "missing":
        sentence = f"{key!r} is missing; it must be {_allowed(place)}.{_meaning(place)}"
        return Problem(_line(path[:-1], document), sentence)
    if error["type"] == "extra_forbidden":
        return _unknown_key(place, document)
    hint = ""
    if error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
        hint = " Put it in quotes."
    elif error["type"] == "dict_type":
        hint = _meaning(place)
    shown = _shown(error["input"])
    return Problem(_line(path, document), f"{key!r} is {shown}; allowed: {_allowed(place)}.{hint}")


def _allowed(place: _Place) -> str:
    """Say what may stand at a place, which may be inside a field's list or mapping."""
    option, parent = place.option, place.parent
    if option is None:
        return "a section"
    if parent is not None and parent.chosen_by_kind and option.name == "kind":
        return parent.kinds
    if place.path[-1] == option.name:
        return option.allowed
    if option.chosen_by_kind:
        return f"a section of kind {option.kinds}"
    plain = option.sections.get("")
    return "a line of text" if plain is None else f"a section with {', '.join(options(plain))}"


def _meaning(place: _Place) -> str:
    # The description of a kind is that of one choice, not of all.
    if place.option is None or place.option.name == "kind":
        return ""
    return f" {place.option.description}"


def _own_check(message: str, path: KeyPath, document: Document) -> Problem:
    """Place what a validator of ours said; it is about the kind where there is one."""
    line = document.lines.get((*path, "kind"), _line(path, document))
    return Problem(line, message if message.endswith((".", "?")) else f"{message}.")


def _unknown_key(place: _Place, document: Document) -> Problem:
    path = place.path
    misspelt = _misspelt_kind(place, document)
    if misspelt:
        return _own_check(misspelt, path[:-1], document)
    names = list(options(place.section))
    return Problem(
        _line(path, document),
        f"unknown key {_dotted(path)!r}.{nearest(str(path[-1]), names)}"
        f" Allowed: {', '.join(names)}.",
    )


def _misspelt_kind(place: _Place, document: Document) -> str:
    """Say what is wrong with the kind of the section in which a key is unknown, if anything is.

    A misspelt kind is read as `Custom`; its keys are not the mistake.
    """
    section = document.value
    for step in place.path[:-1]:
        section = section[step]
    registry = _REGISTRIES.get(place.path[0])
    if registry is None or "settings" not in place.section.model_fields:
        return ""
    try:
        registry.find(str(section.get("kind")))
    except (ExtensionError, UnknownNameError) as error:
        return str(error)
    return ""


def _line(path: KeyPath, document: Document) -> int:
    while path and path not in document.lines:
        path = path[:-1]
    return document.lines.get(path, 0)


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(
        "."
    )


def _shown(value: Any) -> str:  # noqa: ANN401 - anything may stand in a file
    if value is None or value in ("", [], {}):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"a section with {label_listing(list(map(str, value)))}"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 4] + "...'"
