"""Print what may stand in a configuration, from the models themselves."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic_core import to_jsonable_python

from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.options import Option, kind_name, options
from hilt.pipeline.configuration.section import Section

_WIDTH = 96
_INDENT = "  "


def explain_config() -> str:
    """Describe every option, nested as in a file: what may stand there, its default, its use.

    What was described before is only named again, with the place where it was.
    """
    return "\n".join(_Explanation().section(Config, "")) + "\n"


def list_options() -> list[dict[str, Any]]:
    """List every option for a program.

    Returns:
        One dictionary an option, in the order of `explain_config`: `key` (dotted), `kind` (the
        kind of the section that has it, None where there is no choice), `type` in plain words,
        `required`, `default` and `description`.
    """
    return list(_section_rows(Config, "", None))


class _Explanation:
    """Writes options down, and remembers where each stands."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str, str, str], str] = {}

    def section(
        self,
        section: type[Section],
        indent: str,
        *,
        place: str = "",
        omit: str = "",
        outer: Option | None = None,
    ) -> Iterator[str]:
        """Describe the options of a section.

        Args:
            section: Which one.
            indent: What stands before every line.
            place: How to name the section to people.
            omit: The option that is left out.
            outer: The option in which the section stands.
        """
        again: dict[str, list[str]] = {}
        for option in options(section).values():
            told = (option.name, _type(option), _default(option), option.description)
            if option.name == omit:
                continue
            if told in self._places:
                again.setdefault(self._places[told], []).append(option.name)
                continue
            self._places[told] = place
            yield from self._option(option, indent, place, outer)
        for where, names in again.items():
            yield from _wrap(f"{', '.join(names)}: as in {where}", indent)
            if not indent:
                yield ""

    def _option(
        self, option: Option, indent: str, place: str, outer: Option | None
    ) -> Iterator[str]:
        yield f"{indent}{option.name}"
        inner = indent + _INDENT
        yield from _wrap(f"[{_type(option)}; {_default(option)}]", inner)
        yield from _wrap(option.description, inner)
        if not _is_inside_itself(option, outer):
            path = option.name if not place else f"{place}.{option.name}"
            for model in option.sections.values():
                yield from self._nested(option, model, inner, path)
        if not indent:
            yield ""

    def _nested(
        self, option: Option, model: type[Section], indent: str, path: str
    ) -> Iterator[str]:
        if not option.chosen_by_kind:
            yield from self.section(model, indent, place=path, outer=option)
            return
        kind = kind_name(model)
        yield f"{indent}kind: {kind}"
        inner = indent + _INDENT
        yield from _wrap(_summary(model), inner)
        place = f"{path} of kind {kind}"
        yield from self.section(model, inner, place=place, omit="kind", outer=option)


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
    if "" not in option.sections:
        return option.allowed
    # The fields of a section are listed below it.
    return "a list of sections" if option.repeated else "a section"


def _default(option: Option) -> str:
    if option.required:
        return "required"
    if "" in option.sections:
        return "optional"
    if option.default is None:
        return "not set by default"
    if option.default in ("", (), {}):
        return "empty by default"
    return f"default {_written(option.default)}"


def _written(value: Any) -> str:  # noqa: ANN401 - the default of any field
    if isinstance(value, tuple):
        return ", ".join(_written(element) for element in value)
    if isinstance(value, Section):
        return kind_name(type(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _summary(model: type[Section]) -> str:
    return inspect.getdoc(model) or ""


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
