"""A medium of one's own: what hilt makes of the little that it must offer, and what it refuses."""

from typing import Any

import pytest

from hilt.errors import ExtensionError
from hilt.media.base import make_medium
from hilt.media.shown import Shown


class Pairs:
    """Two texts side by side."""

    columns = ("left", "right")

    def read(self, *values: str) -> tuple[str, ...]:
        return values

    def shown(self, content: tuple[str, str]) -> Shown:
        return Shown({"left": content[0], "right": content[1]})


class Embedder:
    """Stands in configurations; a medium that nothing embeds is refused."""

    def __init__(self, device: str) -> None:
        pass


class Says(Pairs):
    """Gives what it is told to."""

    def __init__(self, columns: Any = ("left",), **told: Any) -> None:
        self.columns = columns
        for name, value in told.items():
            setattr(self, name, lambda _, value=value: value)


class Raises(Pairs):
    def shown(self, content: Any) -> Shown:
        raise RuntimeError("told to")


def own(name: str, **settings: Any) -> Any:
    return make_medium(f"{__name__}:{name}", settings)


def test_columns_and_what_is_shown_are_enough() -> None:
    pairs = own("Pairs")
    content = pairs.read("A  cat", "a dog")

    assert pairs.name == f"{__name__}:Pairs"
    assert pairs.columns == ("left", "right")
    assert pairs.text(content) == pairs.likeness(content) == "left: A  cat\nright: a dog"
    assert pairs.key(content) == "left: a cat right: a dog"
    assert pairs.size(content) == 11
    assert pairs.problem(content) is None
    assert not pairs.is_empty(content)
    assert pairs.is_empty((" ", "\n"))


def test_what_it_says_itself_counts() -> None:
    said = own("Says", text="t", key="k", likeness="l", size=3, is_empty=True, problem="is wrong")

    assert (said.text(1), said.key(1), said.likeness(1), said.size(1)) == ("t", "k", "l", 3)
    assert said.is_empty(1)
    assert said.problem(1) == "is wrong"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ((), r"are \(\); they must be names"),
        ((1,), r"are \(1,\); they must be names"),
        (("left", "id"), "none may be called id, label, group"),
        (("left", "left"), "each must have a name of its own"),
        (None, "failed with TypeError"),
    ],
)
def test_columns_that_no_pool_can_have_are_refused(columns: Any, says: str) -> None:
    with pytest.raises(ExtensionError, match=f"^Medium '.*:Says'.*{says}"):
        own("Says", columns=columns)


@pytest.mark.parametrize(
    ("method", "given", "says"),
    [
        ("text", None, r"text\(\) returned a NoneType; it must return a value of the type str"),
        ("size", 1.5, r"size\(\) returned a float"),
        ("size", True, r"size\(\) returned a bool"),
        ("key", b"", r"key\(\) returned a bytes"),
        ("shown", "text", r"shown\(\) returned a str; it must return a value of the type Shown"),
        ("shown", Shown({}), r"shown\(\) returned the fields \{\}; they must be texts"),
        ("shown", Shown({"a": 1}), r"shown\(\) .*; they must be texts"),  # type: ignore[dict-item]
        ("problem", 3, r"problem\(\) returned a int"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_medium(
    method: str, given: Any, says: str
) -> None:
    medium = own("Says", **{method: given})

    with pytest.raises(ExtensionError, match=f"^Medium '.*:Says': {says}"):
        getattr(medium, method)("content")


def test_what_it_raises_names_it() -> None:
    with pytest.raises(ExtensionError, match=r"^Medium '.*:Raises' failed with RuntimeError"):
        own("Raises").text("content")
