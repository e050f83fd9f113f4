"""YAML as a configuration uses it: scalars of YAML 1.2, and the line of every key.

PyYAML reads YAML 1.1, where a label `no` is false, `010` is 8 and `1e-4` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from hilt.reading.values import encodable

DEEPEST = 50  # levels of sections and lists; what hilt knows is nested a handful deep
KeyPath = tuple[str | int, ...]
"""Where a value stands: keys, and places in lists."""

_CONVERT: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}
# The first one that fits a plain scalar decides; the lists are the characters it may start with.
_RESOLVE = (
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", ["t", "T", "f", "F"]),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
)


def _refuse(problem: str, at: Any) -> NoReturn:  # noqa: ANN401 - an event or a node
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as in PyYAML
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            _refuse("aliases (*name) are not supported; write the value in full", event)
        if getattr(event, "tag", None) is not None:
            _refuse(
                "tags (!name) are not supported; put a text that starts with ! in quotes", event
            )
        if self._depth == DEEPEST:
            _refuse(f"sections and lists are nested more than {DEEPEST} deep", event)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


for _tag, _pattern, _first in _RESOLVE:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first
    )


@dataclass(slots=True)
class Document:
    """What a YAML text says.

    Attributes:
        value: Mappings with text keys, lists, and scalars.
        lines: The line, from 1, of the key or the list element at each path.
        repeated: The line and path of every key that its mapping already had.
    """

    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    repeated: list[tuple[int, KeyPath]] = field(default_factory=list)


def read_yaml(text: str, *, as_written: str) -> Document:
    """Read one YAML document.

    Args:
        text: The document.
        as_written: The key at the top under which every scalar stays the text that was written,
            so that a label may be called `null`, `true` or `007`.

    Raises:
        yaml.YAMLError: If it is not YAML, or uses aliases, tags or keys that are not plain, or is
            nested too deeply.
    """
    document = Document()
    node = yaml.compose(text, Loader=_Loader)
    if node is not None:
        document.value = _value(node, (), document, as_written)
    return document


def _value(node: yaml.Node, path: KeyPath, document: Document, as_written: str) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, as_written)
    if isinstance(node, yaml.SequenceNode):
        for place, child in enumerate(node.value):
            document.lines[*path, place] = _line(child)
        return [
            _value(child, (*path, place), document, as_written)
            for place, child in enumerate(node.value)
        ]
    text = _text(node)
    return text if path[:1] == (as_written,) else _CONVERT[node.tag](text)


def _mapping(
    node: yaml.MappingNode, path: KeyPath, document: Document, as_written: str
) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, child in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            _refuse("a key must be a plain word", key_node)
        key = _text(key_node)
        if key in mapping:
            document.repeated.append((_line(key_node), (*path, key)))
            continue
        document.lines[*path, key] = _line(key_node)
        mapping[key] = _value(child, (*path, key), document, as_written)
    return mapping


def _text(node: yaml.Node) -> str:
    """Read a scalar; JSON may write a character as two escapes, of which PyYAML makes halves."""
    text = str(node.value)
    if encodable(text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _refuse("half of a surrogate pair is not a character", node)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
