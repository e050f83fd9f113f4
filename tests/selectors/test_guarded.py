"""Selectors of the user's own that misbehave: each is named, in one sentence."""

from typing import Any

import numpy as np
import pytest

from hilt.errors import ExtensionError
from hilt.rows import Rows
from hilt.selectors.base import make_selector
from hilt.tasks.single import Single
from hilt.types import Reason, Selection, SelectionView

VIEW = SelectionView(
    embeddings=np.eye(6, dtype=np.float32),
    proposal=Rows(np.full((6, 2), 0.5, dtype=np.float32)),
    task=Single(("yes", "no")),
    candidates=np.array([0, 2, 3, 5]),
    labelled=np.array([1]),
    labels=np.array([0]),
    groups=np.arange(6),
)
UNCERTAIN: tuple[Reason, ...] = ("uncertain", "uncertain")


class Picks:
    """A selector that picks what it is told to."""

    def __init__(self, picked: Any) -> None:
        self.picked = picked

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Any:
        if isinstance(self.picked, BaseException):
            raise self.picked
        view.candidates[:] = 1  # harms nobody
        return self.picked


class Nothing:
    pass


def pick(picked: Any) -> Selection:
    selector = make_selector({"kind": f"{__name__}:Picks", "settings": {"picked": picked}})
    return selector.select(
        SelectionView(**{**_fields(VIEW), "candidates": VIEW.candidates.copy()}),
        2,
        np.random.default_rng(0),
    )


def _fields(view: SelectionView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in type(view).__slots__}


@pytest.mark.parametrize("indices", [[5, 0], np.array([5, 0], dtype=np.uint8), [3], []])
def test_candidates_pass(indices: Any) -> None:
    count = len(indices)

    picked = pick(Selection(indices, [0.5] * count, UNCERTAIN[:count]))  # type: ignore[arg-type]

    assert picked.indices.dtype == np.int64
    assert picked.indices.tolist() == list(indices)


@pytest.mark.parametrize(
    ("picked", "says"),
    [
        (
            Selection(np.array([5, 9]), np.zeros(2), UNCERTAIN),
            "picked 9, which is not one of the 4",
        ),
        (Selection(np.array([5, -1]), np.zeros(2), UNCERTAIN), "picked -1, which is not one"),
        (Selection(np.array([5, 1]), np.zeros(2), UNCERTAIN), "picked 1, which is not one"),
        (Selection(np.array([5, 5]), np.zeros(2), UNCERTAIN), "picked 5 more than once"),
        (Selection(np.array([0, 2, 3]), np.zeros(3), UNCERTAIN), "3 items, but at most 2"),
        (Selection(np.array([5.0, 0.0]), np.zeros(2), UNCERTAIN), "an array of float64"),
        (Selection(np.array([True, False]), np.zeros(2), UNCERTAIN), "an array of bool"),
        (Selection(np.array([[5, 0]]), np.zeros(2), UNCERTAIN), r"of shape \(1, 2\)"),
        (Selection(np.array(5), np.zeros(1), UNCERTAIN[:1]), r"of shape \(\)"),
        (
            Selection(np.array([5, 0]), np.zeros(1), UNCERTAIN),
            r"its scores returned an array of shape",
        ),
        (Selection(np.array([5, 0]), np.array([0, np.nan]), UNCERTAIN), "a score is NaN or inf"),
        (Selection(np.array([5, 0]), np.zeros(2), UNCERTAIN[:1]), "its reasons are 1 for 2 items"),
        (Selection(np.array([5, 0]), np.zeros(2), ("audit", "audit")), "reasons are 'audit'"),
        (Selection(np.array([5, 0]), np.zeros(2), ("x", "y")), "reasons are 'x'"),  # type: ignore[arg-type]
        (Selection(np.array([5, 0]), np.zeros(2), None), "its reasons failed with TypeError"),  # type: ignore[arg-type]
        (None, "returned a NoneType; it must return a hilt.types.Selection"),
        ([5, 0], "returned a list"),
        (RuntimeError("told to"), r"failed with RuntimeError: told to \(.*, line \d+\)"),
        (SystemExit(0), r"failed with SystemExit: 0"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_selector(picked: Any, says: str) -> None:
    with pytest.raises(ExtensionError, match=f"^Selector '.*:Picks'.*{says}"):
        pick(picked)


def test_what_cannot_be_built_is_named() -> None:
    with pytest.raises(ExtensionError, match=r"^Selector '.*:Nothing' has no select"):
        make_selector({"kind": f"{__name__}:Nothing"})
    with pytest.raises(
        ExtensionError, match=r"^Selector '.*:Picks' has no setting 'speed'. It takes: picked"
    ):
        make_selector({"kind": f"{__name__}:Picks", "settings": {"speed": 3}})


def test_one_inside_a_wrapper_is_named_too() -> None:
    inner = {"kind": f"{__name__}:Picks", "settings": {"picked": None}}
    wrapper = make_selector({"kind": "balanced", "of": inner})

    with pytest.raises(ExtensionError, match=r"^Selector '.*:Picks' returned a NoneType"):
        wrapper.select(VIEW, 2, np.random.default_rng(0))
