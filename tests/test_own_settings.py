"""What a user writes for a class of their own, against what the class takes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from hilt.own_settings import SettingError, checked_settings
from hilt.selectors.base import Selector

if TYPE_CHECKING:
    from hilt.types import Nothing  # type: ignore[attr-defined]


class Nested(BaseModel):
    depth: int


class Takes:
    def __init__(
        self,
        context: object,
        label: str,
        *,
        least: Annotated[int, Field(ge=1)] = 3,
        where: Path = Path(),
        how: Literal["a", "b"] = "a",
        nested: Nested | None = None,
        of: Selector | None = None,
        copy: bool = False,
    ) -> None:
        pass


class TakesAll:
    def __init__(self, **settings: object) -> None:
        pass


class TakesNone:
    pass


@dataclass
class Record:
    size: int = 2


def unevaluated(size: "Nothing", other: int = 0) -> None:
    pass


def check(build: Callable[..., Any], **settings: Any) -> dict[str, Any]:
    given = ("context",) if build is Takes else ()
    return checked_settings(build, "Mine", settings, given)


def test_values_come_as_the_annotations_say() -> None:
    given = {"label": "x", "least": 2, "where": "a/b", "nested": {"depth": 1}, "copy": True}

    taken = check(Takes, **given)

    assert taken == {
        "label": "x",
        "least": 2,
        "where": Path("a/b"),
        "nested": Nested(depth=1),
        "copy": True,
    }


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (TakesAll, {"x": 1, "y": [2]}),
        (TakesNone, {}),
        (Record, {"size": 5}),
        (dict, {"anything": 1}),
        (unevaluated, {"size": "whatever", "other": 1}),
        (lambda x, _y=2: None, {"x": object}),
        (Takes, {"label": "x", "of": {"kind": "margin"}}),
    ],
)
def test_what_is_taken_passes_unchanged(
    build: Callable[..., Any], settings: dict[str, Any]
) -> None:
    assert check(build, **settings) == settings


@pytest.mark.parametrize(
    ("build", "settings", "says", "steps"),
    [
        (Takes, {}, "Mine needs the setting 'label'. It takes: label, least, where, how", ()),
        (Takes, {"lable": "x"}, "has no setting 'lable'. Did you mean: label?", ("lable",)),
        (Takes, {"context": 1}, "has no setting 'context'", ("context",)),
        (Takes, {"label": 1}, "the setting 'label' is 1: input should be a valid string", None),
        (Takes, {"label": "x", "least": 0}, "greater than or equal to 1", ("least",)),
        (Takes, {"label": "x", "how": "c"}, "is 'c': input should be 'a' or 'b'", ("how",)),
        (Takes, {"label": "x", "nested": {"depth": "x"}}, "'nested.depth' is 'x'", None),
        (Takes, {"label": "x" * 999, "least": []}, r"'least' is \[\]: input", ("least",)),
        (TakesNone, {"x": 1}, "has no setting 'x'. It takes none.", ("x",)),
        (Record, {"size": "x"}, "the setting 'size' is 'x'", ("size",)),
        (Record, {"x" * 999: 1}, "has no setting 'xxx", None),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(
    build: Callable[..., Any], settings: dict[str, Any], says: str, steps: tuple[str, ...] | None
) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        check(build, **settings)

    assert steps is None or caught.value.steps == steps
    assert len(str(caught.value)) < 400


def test_a_class_that_does_not_take_what_hilt_passes_is_refused() -> None:
    with pytest.raises(SettingError, match=r"Mine cannot be called as hilt calls it: .*'device'"):
        checked_settings(Record, "Mine", {}, (), {"device": "cpu"})
    with pytest.raises(SettingError, match="too many positional arguments"):
        checked_settings(TakesNone, "Mine", {}, ("context",))
