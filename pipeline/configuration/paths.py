"""Which options name files, and from where their relative paths start: the one rule for all.

An option that may name a file or a folder carries a mark, `Annotated[str, MODEL]`; what a user
wrote there is made absolute when the configuration is read. A default stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hilt.pipeline.configuration.section import Section

MODEL_FILES = ("config.json", "modules.json")  # a folder with one of them holds a model

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True, slots=True)
class NamesFile:
    """Marks an option whose text may name a file or a folder.

    Attributes:
        resolve: Given the text and the folders from which a relative path may start, the first
            of them before the others, returns the text with its path made absolute.
    """

    resolve: Callable[[str, Sequence[Path]], str]


def resolve_paths(section: AnySection, folders: Sequence[Path]) -> AnySection:
    """Return the same section with every path in it, at any depth, made absolute.

    Args:
        section: What a user wrote.
        folders: From where relative paths start. A path that is not in the first folder is
            looked for in the others; one that is nowhere is taken to be meant for the first.
    """
    changes: dict[str, Any] = {}
    for name in section.model_fields_set:  # else a default would count as written from now on
        value = getattr(section, name)
        mark = names_file(type(section), name)
        resolved = value if value is None or mark is None else mark.resolve(value, folders)
        resolved = _resolve_nested(resolved, folders)
        if resolved != value:
            changes[name] = resolved
    return section.model_copy(update=changes) if changes else section


def names_file(section: type[Section], option: str) -> NamesFile | None:
    """Return the mark of an option, or None where it names no file."""
    marks = section.model_fields[option].metadata
    return next((mark for mark in marks if isinstance(mark, NamesFile)), None)


def _resolve_nested(value: Any, folders: Sequence[Path]) -> Any:  # noqa: ANN401 - of any option
    if isinstance(value, Section):
        return resolve_paths(value, folders)
    if isinstance(value, tuple):
        return tuple(_resolve_nested(element, folders) for element in value)
    return value


def _data(text: str, folders: Sequence[Path]) -> str:
    return text if text.startswith("hub:") else _absolute(text, folders)


def _model(text: str, folders: Sequence[Path]) -> str:
    """Tell a folder or file from a name on the hub, which is `name` or `owner/name`."""
    if is_path(text):
        return _absolute(text, folders)
    places = [folder / text for folder in folders]
    found = [place for place in places if any(_exists(place / name) for name in MODEL_FILES)]
    return str(found[0].resolve()) if found else text


def _database(url: str, folders: Sequence[Path]) -> str:
    scheme, _, rest = url.partition(":///")
    path, *query = rest.split("?", maxsplit=1)
    if not scheme.startswith("sqlite") or not path or path.startswith((":memory:", "file:")):
        return url
    return "?".join([f"{scheme}:///{_absolute(path, folders)}", *query])


def is_path(model: str) -> bool:
    """Tell whether the name of a model can only be a path: no name on the hub looks like it."""
    return (
        model.startswith((".", "~", "/"))
        or model.endswith(("/", ".gguf"))
        or model.count("/") > 1
        or "\\" in model
    )


def _absolute(text: str, folders: Sequence[Path]) -> str:
    places = [_settled(folder, text) for folder in folders]
    return str(next((place for place in places if _exists(place)), places[0]))


def _settled(folder: Path, text: str) -> Path:
    """Make a path absolute; one that leads nowhere stays, for whoever opens it to say why."""
    try:
        return (folder / Path(text).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, ~nobody, a NUL, too long a name
        return folder.absolute() / text


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):
        return False


DATA = NamesFile(_data)
MODEL = NamesFile(_model)
DATABASE = NamesFile(_database)
