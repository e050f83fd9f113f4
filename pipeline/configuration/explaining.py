"""Print what may stand in a configuration, from the models themselves."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic_core import to_jsonable_python

from hilt.pipeline.configuration.fields import Option, kind_name, options
from hilt.pipeline.configuration.section import Section
from hilt.pipeline.configuration.sections import Config

_WIDTH = 96
_INDENT = "  "


def explain_config() -> str:
    """Describe every option, nested as in a file: what may stand there, its default, its use."""
    return "\n".join(_section_lines(Config, "")) + "\n"


def list_options() -> list[dict[str, Any]]:
    """List every option for a program.

    Returns:
        One dictionary an option, in the order of `explain_config`: `key` (dotted), `kind` (the
        kind of the section that has it, None where there is no choice), `type` in plain words,
        `required`, `default` and `description`.
    """
    return list(_section_rows(Config, "", None))


def _section_lines(
    section: type[Section], indent: str, *, omit: str = "", outer: Option | None = None
) -> Iterator[str]:
    for option in options(section).values():
        if option.name == omit:
            continue
        yield f"{indent}{option.name}"
        inner = indent + _INDENT
        yield from _wrap(f"[{_type(option)}; {_default(option)}]", inner)
        yield from _wrap(option.description, inner)
        if not _is_inside_itself(option, outer):
            yield from _nested_lines(option, inner)
        if not indent:
            yield ""


def _nested_lines(option: Option, indent: str) -> Iterator[str]:
    for model in option.sections.values():
        if not option.chosen_by_kind:
            yield from _section_lines(model, indent, outer=option)
            continue
        yield f"{indent}kind: {kind_name(model)}"
        yield from _wrap(_summary(model), indent + _INDENT)
        yield from _section_lines(model, indent + _INDENT, omit="kind", outer=option)


def _section_rows(
    section: type[Section], prefix: str, kind: str | None, outer: Option | None = None
) -> Iterator[dict[str, Any]]:
    for option in options(section).values():
        key = prefix + option.name
        yield {
            "key": key,
            "kind": kind,
            "type": _type(option),
            "required": option.required,
            "default": None if "" in option.sections else to_jsonable_python(option.default),
            "description": option.description,
        }
        for model in () if _is_inside_itself(option, outer) else option.sections.values():
            own = kind_name(model) if option.chosen_by_kind else kind
            yield from _section_rows(model, f"{key}{'[]' * option.repeated}.", own, option)


def _is_inside_itself(option: Option, outer: Option | None) -> bool:
    """Tell whether an option is a choice inside the same choice, which is listed already."""
    return outer is not None and bool(option.sections) and option.sections == outer.sections


def _type(option: Option) -> str:
    # The fields of a section are listed below it.
    return "a section" if "" in option.sections else option.allowed


def _default(option: Option) -> str:
    if option.required:
        return "required"
    if "" in option.sections:
        return "optional"
    if option.default is None:
        return "not set by default"
    return f"default {_written(option.default)}"


def _written(value: Any) -> str:  # noqa: ANN401 - the default of any field
    if isinstance(value, tuple):
        return ", ".join(_written(element) for element in value)
    if isinstance(value, Section):
        return kind_name(type(value))
    return str(value) if value != {} else "none"


def _summary(model: type[Section]) -> str:
    return inspect.getdoc(model) or ""


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
