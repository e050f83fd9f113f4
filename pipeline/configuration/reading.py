"""Read a configuration from a file, with errors that name the line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hilt.errors import ConfigError
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.mistakes import Problem, problems
from hilt.pipeline.configuration.paths import resolve_paths
from hilt.pipeline.configuration.yaml_lines import Document, read_yaml
from hilt.plain_files import kind_of_file, shown, why_unreadable

MAX_BYTES = 64 << 20


def load_config(file: Path | str) -> Config:
    """Read a configuration; its relative paths start at the folder of the file.

    Raises:
        ConfigError: If there is no such file, or it cannot be used; it lists all that is wrong.
    """
    return _load(file, also_from=())


def load_workspace_config(path: Path) -> Config:
    """Read the configuration that a workspace keeps.

    It holds absolute paths; that of an older hilt has paths of models as the user wrote them,
    which started at the working folder, so they are looked for there too.

    Raises:
        ConfigError: If it was edited into something that cannot be used.
    """
    return _load(path, also_from=(Path.cwd(),))


def _load(path: Path | str, also_from: Sequence[Path]) -> Config:
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(
            f"A configuration is a YAML file, but got a {type(path).__name__}; give its path."
        )
    path = Path(path)
    config = parse_config(_read(path), str(path))
    return resolve_paths(config, (path.absolute().parent, *also_from))


def parse_config(text: str, name: str) -> Config:
    """Read a configuration from YAML text and leave its paths as they are.

    Args:
        text: The YAML.
        name: What to call the text in messages, such as its file name.

    Raises:
        ConfigError: If it cannot be used; it lists all that is wrong, one thing a line.
    """
    document = _document(text, name)
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        raise _refusal(name, problems(error.errors(include_url=False), document)) from None
    if document.repeated:
        raise _refusal(name, problems([], document))
    return config


def _read(path: Path) -> str:
    name = shown(str(path))
    try:
        kind = kind_of_file(path.stat().st_mode)
        content = b"" if kind else _beginning(path)
    except FileNotFoundError:
        raise ConfigError(f"There is no configuration {name}.") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} cannot be read: {why_unreadable(error)}.") from None
    if kind:
        what = "name the .yaml file in it" if path.is_dir() else "give a plain file"
        raise ConfigError(f"{name} is {kind}; {what}.")
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES >> 20} MB; a configuration is short.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{name}, line {line}: not UTF-8; save the file as UTF-8.") from None


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _document(text: str, name: str) -> Document:
    try:
        document = read_yaml(text, as_written="labels")
    except yaml.YAMLError as error:
        raise _refusal(name, [_syntax(error, text)]) from None
    if document.value is None:
        raise ConfigError(f"{name} is empty; it needs at least 'pool' and 'labels'.")
    if not isinstance(document.value, dict):
        raise ConfigError(
            f"{name} is not a configuration: it must hold keys with values, such as 'pool:'."
        )
    return document


def _syntax(error: Any, text: str) -> Problem:  # noqa: ANN401 - PyYAML's errors share no fields
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        problem = ": ".join(part for part in (error.context, error.problem) if part)
        hint = "; indent with spaces" if r"'\t'" in problem else ""
        return Problem(mark.line + 1, f"cannot be read as YAML: {problem}{hint}.")
    line = text[: error.position].count("\n") + 1
    return Problem(line, f"the character U+{error.character:04X} is not allowed in YAML.")


def _refusal(name: str, found: list[Problem]) -> ConfigError:
    return ConfigError(
        "\n".join(
            f"{name}, line {problem.line}: {problem.sentence}"
            if problem.line
            else f"{name}: {problem.sentence}"
            for problem in found
        )
    )
