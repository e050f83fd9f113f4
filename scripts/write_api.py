"""Write docs/api.md: the public names, their signatures and the first lines of their docstrings.

python scripts/write_api.py
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

import hilt
from hilt.pipeline.cli import COMMANDS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
WIDTH = 88  # characters of a line of code
HEAD = """\
# Python API

<!-- Written by scripts/write_api.py from the docstrings; edit those, and run it again. -->

`import hilt` loads no model: each name is imported when it is first used. A command and its
function have the same name, and so have their options and keywords, but Python cannot call a
function `import` or `review`: these are `import_answers` and `review_in_browser`.
`help(hilt.select)` shows the arguments, the result and the errors of a function.
"""


def write_page() -> str:
    """Make the page."""
    functions = [name for name in hilt.__all__ if inspect.isfunction(getattr(hilt, name))]
    classes = [name for name in hilt.__all__ if name not in functions]
    errors = [name for name in classes if issubclass(getattr(hilt, name), Exception)]
    parts = [HEAD]
    left = dict.fromkeys(functions)
    for heading, commands in COMMANDS.items():
        names = [name for name in commands if name in left]
        parts += _section(heading, names)
        left = {name: None for name in left if name not in names}
    parts += _section("More functions", left)
    parts += _section("Values", [name for name in classes if name not in errors])
    parts += _section("Errors", errors)
    return "\n".join(parts)


def _section(heading: str, names: Iterator[str] | list[str] | dict[str, None]) -> list[str]:
    return [f"## {heading}\n", *(_entry(name, getattr(hilt, name)) for name in names)]


def _entry(name: str, value: Callable[..., object]) -> str:
    return f"```python\n{_signature(name, value)}\n```\n\n{_summary(value)}\n"


def _signature(name: str, value: Callable[..., object]) -> str:
    """Write the signature in a line, or a parameter a line where that is too long."""
    if isinstance(value, type):
        if issubclass(value, Exception):
            return f"class hilt.{name}({', '.join(base.__name__ for base in value.__bases__)})"
        if not hasattr(value, "__dataclass_fields__") or name == "Workspace":
            return f"class hilt.{name}"
    signature = inspect.signature(value)
    returned = "" if isinstance(value, type) else f" -> {signature.return_annotation}"
    parameters = [_parameter(each) for each in signature.parameters.values()]
    for place, each in enumerate(signature.parameters.values()):
        if each.kind is each.KEYWORD_ONLY:
            parameters.insert(place, "*")
            break
    line = f"hilt.{name}({', '.join(parameters)}){returned}"
    if len(line) <= WIDTH:
        return line
    inside = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"hilt.{name}(\n{inside}){returned}"


def _parameter(parameter: inspect.Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    if parameter.default is parameter.empty:
        return text
    default = repr(parameter.default)
    return f"{text} = {'...' if default.startswith('<') else default}"


def _summary(value: object) -> str:
    """Take the first paragraphs of a docstring, up to where it lists arguments or gives code."""
    paragraphs = (inspect.getdoc(value) or "").split("\n\n")
    kept = []
    for paragraph in paragraphs:
        if paragraph.startswith((" ", "Args:", "Attributes:", "Returns:", "Raises:", "Example")):
            break
        kept.append(paragraph)
    return "\n\n".join(kept)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
