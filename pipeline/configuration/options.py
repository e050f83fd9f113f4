"""What the configuration's models say about each of their fields, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Tag
from pydantic.fields import FieldInfo

from hilt.pipeline.configuration.section import Section

OWN_CLASS = "package.module:Class"

_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Option:
    """One field of a section.

    Attributes:
        allowed: What may stand there, in plain words.
        default: What holds when it is left out; None when it is required or simply not set.
        sections: The models of what stands in it: none for a plain value, one under "" for a
            section, one under each tag where `kind` chooses among sections.
        repeated: Whether it is a list of such sections.
    """

    name: str
    allowed: str
    required: bool
    default: Any
    description: str
    sections: Mapping[str, type[Section]]
    repeated: bool

    @property
    def chosen_by_kind(self) -> bool:
        """Whether `kind` chooses what section stands in it."""
        return bool(self.sections) and "" not in self.sections

    @property
    def kinds(self) -> str:
        """What may stand under `kind`, where it chooses."""
        return either([kind_name(model) for model in self.sections.values()])


def options(section: type[Section]) -> dict[str, Option]:
    """List the fields of a section by name, in their order."""
    return {name: _option(name, field) for name, field in section.model_fields.items()}


def kind_name(section: type[Section]) -> str:
    """Say what to write under `kind` to get this section."""
    choices = get_args(section.model_fields["kind"].annotation)
    return str(choices[0]) if choices else OWN_CLASS


def either(words: Sequence[str]) -> str:
    """Join words with commas and a last "or"."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _option(name: str, field: FieldInfo) -> Option:
    members = dict(_members(field.annotation))
    return Option(
        name=name,
        allowed=_allowed(field),
        required=field.is_required(),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        description=field.description or "",
        sections={tag: model for tag, model in members.items() if _is_section(model)},
        repeated=get_origin(field.annotation) is tuple,
    )


def _members(annotation: Any, tag: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield each type that an annotation allows, None left out, with its tag in a union."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        tags = [extra.tag for extra in arguments[1:] if isinstance(extra, Tag)]
        yield from _members(arguments[0], *tags)
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _members(argument)
    elif origin is tuple:
        yield from _members(arguments[0])
    elif annotation is not NoneType:
        yield tag, annotation


def _is_section(model: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(model, type) and issubclass(model, Section)


def _allowed(field: FieldInfo) -> str:
    types = [member for _, member in _members(field.annotation)]
    if _is_section(types[0]):
        return _allowed_sections(types, repeated=get_origin(field.annotation) is tuple)
    if get_origin(types[0]) is Literal:
        return either([str(choice) for choice in get_args(types[0])])
    if get_origin(types[0]) is dict:
        return _allowed_names(field, get_args(types[0])[1])
    words = " ".join([_WORDS[types[0]], *_bounds(field)])
    return f"a list of {words}" if get_origin(field.annotation) is tuple else words


def _allowed_sections(types: Sequence[type[Section]], *, repeated: bool) -> str:
    if len(types) == 1 and not (repeated and "kind" in types[0].model_fields):
        return f"{'a list of sections, each' if repeated else 'a section'} with " + ", ".join(
            types[0].model_fields
        )
    kinds = either([kind_name(model) for model in types])
    return f"{'a list of sections, each' if repeated else 'a section'} of kind {kinds}"


def _allowed_names(field: FieldInfo, value: Any) -> str:  # noqa: ANN401 - any annotation
    least = [limit.min_length for limit in field.metadata if hasattr(limit, "min_length")]
    names = f"at least {least[0]} names" if least else "names"
    return f"{names}, each with {'a line of text' if value is str else 'a value'}"


def _bounds(field: FieldInfo) -> list[str]:
    bounds = [
        f"{words} {getattr(limit, bound):g}"
        for bound, words in _BOUNDS.items()
        for limit in field.metadata
        if hasattr(limit, bound)
    ]
    return [" and ".join(bounds)] if bounds else []
