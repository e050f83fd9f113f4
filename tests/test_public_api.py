"""What may be called from Python, and with what."""

import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

import hilt


def parameters() -> Iterator[tuple[str, str, set[type]]]:
    """Every parameter of every public function, with the types that it takes."""
    for name in hilt.__all__:
        function = getattr(hilt, name)
        if inspect.isfunction(function):
            for parameter, hint in typing.get_type_hints(function).items():
                if parameter != "return":
                    members = (hint, *typing.get_args(hint))
                    yield name, parameter, {each for each in members if isinstance(each, type)}


def test_whatever_takes_a_path_takes_it_as_a_text_too() -> None:
    paths = {(name, parameter): types for name, parameter, types in parameters() if Path in types}

    assert {name for name, _ in paths} >= {"init", "load_config", "release", "predict", "benchmark"}
    assert [where for where, types in paths.items() if str not in types] == []


def test_a_student_is_given_as_a_workspace_a_folder_or_itself() -> None:
    given = {
        name: {each.__name__ for each in types}
        for name, parameter, types in parameters()
        if parameter == "student"
    }

    assert given.keys() == {"onnx", "load_student", "predict"}
    for types in given.values():
        assert types >= {"Path", "str", "Workspace", "SavedStudent", "LoadedStudent"}
