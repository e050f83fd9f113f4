import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hilt import registry
from hilt.errors import ConfigError, ExtensionError, HiltError, UnknownNameError
from hilt.proposers.base import EMBEDDERS, PROPOSERS
from hilt.registry import Registry, import_object, nearest
from hilt.review.base import EXCHANGES
from hilt.selectors.base import SELECTORS

SHAPES = Registry("shape", {"margin": "fractions:Fraction", "square": "decimal:Decimal"})


def test_a_name_gives_what_it_stands_for() -> None:
    assert SHAPES.load("margin").__name__ == "Fraction"


def test_a_name_with_a_colon_is_imported_as_it_stands() -> None:
    assert SHAPES.load("pathlib:Path") is Path


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    lazy = Registry("thing", {"x": "no_such_module_anywhere:X"})

    assert lazy.names() == ["x"]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        SHAPES.load("margn")

    assert str(caught.value) == (
        "Unknown shape 'margn'. Did you mean: margin? Available: margin, square."
    )


def test_a_name_near_none_gets_no_suggestion() -> None:
    assert nearest("zzz", ["margin"]) == ""


@pytest.mark.parametrize("path", ["pathlib", ":Path", "pathlib:", ".pathlib:Path", ":"])
def test_a_path_of_the_wrong_form_is_refused(path: str) -> None:
    with pytest.raises(UnknownNameError, match="is not of the form 'package"):
        import_object(path)


@pytest.mark.parametrize("module", ["no_such_module", "pathlib_no.such", "json.no_such"])
def test_a_missing_module_is_named(module: str) -> None:
    with pytest.raises(UnknownNameError, match="there is no module"):
        import_object(f"{module}:Path")


def test_a_missing_class_is_named() -> None:
    with pytest.raises(UnknownNameError, match="pathlib has no 'Pth'"):
        import_object("pathlib:Pth")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import a_module_that_is_missing", "ModuleNotFoundError: .*a_module_that_is_missing'"),
        ("None.x", "AttributeError: .*'x'"),
        ("\n\nraise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_what_breaks_inside_a_module_is_blamed_on_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, says: str
) -> None:
    (tmp_path / "broken_for_hilt.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_for_hilt", raising=False)
    place = rf"\(.*broken_for_hilt.py, line {len(source.splitlines())}\)"

    with pytest.raises(ExtensionError, match=f"broken_for_hilt failed with {says} {place}"):
        import_object("broken_for_hilt:X")


def test_a_module_with_a_syntax_error_is_named_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_for_hilt.py").write_text("class X(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_for_hilt", raising=False)

    with pytest.raises(ExtensionError, match=r"SyntaxError: .*\(broken_for_hilt.py, line 1\)"):
        import_object("broken_for_hilt:X")


def test_a_third_party_adds_a_name_but_cannot_replace_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "hilt.figures": [
            EntryPoint("circle", "collections:Counter", "hilt.figures"),
            EntryPoint("margin", "collections:deque", "hilt.figures"),
        ]
    }
    monkeypatch.setattr(registry, "entry_points", lambda *, group: points.pop(group))  # asked once
    figures = Registry("figure", SHAPES.built_in)

    assert figures.names() == ["circle", "margin", "square"]
    assert figures.load("circle").__name__ == "Counter"
    assert figures.load("margin").__name__ == "Fraction"


@pytest.mark.parametrize("which", [EMBEDDERS, EXCHANGES, PROPOSERS, SELECTORS])
def test_everything_built_in_is_there(which: Registry) -> None:
    assert all(callable(which.load(name)) for name in which.built_in)


def test_a_name_of_thousands_of_characters_is_not_told_whole() -> None:
    for name in ("a." * 5000 + "a:X", "x" * 10_000):
        with pytest.raises(HiltError) as caught:
            SHAPES.load(name)
        assert len(str(caught.value)) < 500


class Everything:
    """Serves all tasks, for it names none."""


class Pictures:
    tasks = ("boxes", "spans")


class Texts:
    media = "text"  # one name, and no tuple of names


THINGS = Registry(
    "thing",
    {
        "pictures": f"{__name__}:Pictures",
        "everything": f"{__name__}:Everything",
        "texts": f"{__name__}:Texts",
    },
)


def test_what_serves_a_task_passes() -> None:
    THINGS.check_serves("pictures", "Thing 'mine'", tasks="spans")
    THINGS.check_serves("everything", "Thing 'mine'", tasks="single", media="text")
    THINGS.check_serves("pictures", "Thing 'mine'", media="text")


def test_what_does_not_serve_a_task_is_refused_with_who_would() -> None:
    sentence = (
        "Thing 'mine' does not serve the task 'single', only boxes, spans; use everything, texts,"
        " or a class of your own."
    )
    with pytest.raises(ConfigError, match=f"^{sentence}$"):
        THINGS.check_serves("pictures", "Thing 'mine'", tasks="single")


def test_what_serves_one_thing_may_name_it_alone() -> None:
    THINGS.check_serves("texts", "Thing 'mine'", media="text")

    with pytest.raises(ConfigError, match="the medium 'image', only text; use"):
        THINGS.check_serves("texts", "Thing 'mine'", media="image")
