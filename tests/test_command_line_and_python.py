"""Whatever a command and its options are called, Python calls the same."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import hilt
from hilt.pipeline.cli import app

# Commands whose function cannot have their name.
OTHER_NAMES = {
    "import": "import_answers",  # a keyword of Python
    "review": "review_in_browser",  # `hilt.review` is a folder of modules
    "config": "load_config",  # it checks what it loads
    "reviewer add": "add_reviewer",  # Python has no groups of commands
    "reviewer list": "reviewers",
    "reviewer remove": "remove_reviewer",
}
# Options with which a command calls another function.
OTHER_FUNCTIONS = {
    ("init", "append"): "append",
    ("duplicates", "contrary"): "find_contrary",
    ("export", "decisions"): "export_decisions",
    ("import", "as"): "import_proposals",
}
# How a result is shown, which is the caller's matter in Python.
SHOWING = {"json", "debug", "explain", "browser"}
# Options without a keyword.
ONLY_OPTIONS = {
    ("decisions", "output"),  # Python gets the decisions themselves
    ("decisions", "force"),
    ("benchmark", "budget"),  # the last of the plan's label counts
    ("benchmark", "html"),  # where the result is written; Python gets the result itself
    ("benchmark", "force"),
}
# Keywords without an option: on the command line a terminal stands for them.
ONLY_KEYWORDS = {"progress", "listening"}
WORK = {"workspace", "folder"}  # a path on the command line, mostly an open workspace in Python


def commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{name} ")
        else:
            yield before + name, command  # type: ignore[misc]


COMMANDS = dict(commands(get_command(app)))  # type: ignore[arg-type]


def function_of(command: str) -> Callable[..., object]:
    function: Callable[..., object] = getattr(hilt, OTHER_NAMES.get(command, command))
    return function


def keywords_of(function: Callable[..., object]) -> set[str]:
    """The names of what a function takes, with the fields of a plan, and a workspace's device."""
    names = set(inspect.signature(function).parameters)
    if "plan" in names:
        names |= {field.name for field in fields(hilt.BenchmarkPlan)} - {"fewer_seeds"}
    if "workspace" in names:
        names |= set(inspect.signature(hilt.open_workspace).parameters) - {"folder"}
    return names - {"plan"}


def options_of(command: str) -> set[str]:
    """The names of options and arguments, as they are written on the command line."""
    written = [max(parameter.opts, key=len) for parameter in COMMANDS[command].params]
    return {name.lstrip("-").replace("-", "_") for name in written}


def test_every_command_is_a_public_function() -> None:
    public = {name for name in hilt.__all__ if inspect.isfunction(getattr(hilt, name))}

    assert {OTHER_NAMES.get(name, name) for name in COMMANDS} <= public
    assert set(OTHER_FUNCTIONS.values()) <= public
    assert set(OTHER_NAMES) <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_options_and_keywords_have_the_same_names(command: str) -> None:
    functions = [function_of(command)]
    functions += [
        getattr(hilt, other) for (of, _), other in OTHER_FUNCTIONS.items() if of == command
    ]
    keywords = set().union(*map(keywords_of, functions))
    options = options_of(command) - SHOWING
    options -= {option for of, option in (*OTHER_FUNCTIONS, *ONLY_OPTIONS) if of == command}
    if "work" in options:
        options = options - {"work"} | (WORK & keywords)
    if "device" not in options:  # the command runs no model
        keywords -= {"device"}

    assert options == keywords - ONLY_KEYWORDS


def test_no_public_name_is_hidden_by_a_module() -> None:
    modules = {path.stem for path in Path(hilt.__file__).parent.iterdir()}

    assert modules >= {"review", "registry", "reading"}
    assert set(hilt.__all__) & modules == set()
