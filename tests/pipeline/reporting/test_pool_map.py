"""The map of the pool."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reporting import pool_map as module
from hilt.pipeline.reporting.pool_map import (
    HEIGHT,
    WIDTH,
    PoolMap,
    fitted,
    pool_map,
    principal_axes,
)
from hilt.pipeline.reporting.report import render_report
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Floats

Open = Callable[[str], Workspace]


def drawn(workspace: Workspace) -> PoolMap:
    state = LoopState.read(workspace)
    found = pool_map(workspace, state.item_labels, state.items_of(state.last_batch))
    assert found is not None
    return found


def kinds(found: PoolMap) -> list[str]:
    return [point.kind for point in found.points]


def stretched(n: int = 200) -> Floats:
    """Points that lie mostly along one axis, less along a second, hardly along others."""
    spread = np.array([5.0, 2.0, 0.1, 0.1])
    rows: Floats = np.random.default_rng(0).normal(size=(n, 4)) * spread
    return rows.astype(np.float32)


def test_the_axes_are_those_along_which_items_differ_most() -> None:
    axes = principal_axes(stretched())

    assert np.abs(axes.directions) == pytest.approx(np.eye(4)[:2], abs=0.05)
    assert axes.explained > 0.99


def test_the_axes_do_not_turn_round() -> None:
    rows = stretched()

    once, again = principal_axes(rows).directions, principal_axes(rows[::-1]).directions

    assert once == pytest.approx(again, abs=1e-5)
    assert (once[[0, 1], np.abs(once).argmax(axis=1)] > 0).all()


def test_the_drawing_is_filled_and_not_left() -> None:
    places = fitted(np.append(stretched()[:, :2], [[1000, -1000]], axis=0))

    assert (places > 0).all()
    assert (places < [WIDTH, HEIGHT]).all()
    assert np.ptp(places, axis=0) == pytest.approx([WIDTH, HEIGHT], rel=0.06)


def test_there_is_no_map_before_proposals(small_workspace: Open) -> None:
    page = render_report(LoopState.read(small_workspace("ready")), datetime.now(UTC))

    assert "Map of the pool" not in page


def test_every_item_is_drawn_once_and_the_batch_on_top(small_workspace: Open) -> None:
    found = drawn(small_workspace("two_cycles"))

    assert len(found.points) == found.items == 60
    assert kinds(found).count("labelled") == 12
    assert kinds(found)[-12:] == ["batch"] * 12
    assert set(found.labels) <= {"animals", "food", "sport"}
    assert all(0 < point.x < WIDTH and 0 < point.y < HEIGHT for point in found.points)


def test_a_blind_item_has_no_colour_before_it_is_decided(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.01)
    items = [item for item in LoopState.read(workspace).batch(1).items if item.blind]

    found = drawn(workspace)

    hidden = {point.text for point in found.points if point.colour == -1}
    assert hidden == {f"{each.rank + 1} in the batch, audit: {each.text}" for each in items}
    assert found.rest == "not shown yet"


def test_more_labels_than_colours_share_one(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_COLOURS", 2)

    found = drawn(small_workspace("reviewed"))

    assert len(found.labels) == 2
    assert found.rest == "another label"
    assert {point.colour for point in found.points} == {-1, 0, 1}


def test_a_large_pool_is_sampled_with_everything_that_was_asked(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_POOL", 20)

    found = drawn(small_workspace("two_cycles"))

    assert found.items == 20
    assert (kinds(found).count("labelled"), kinds(found).count("batch")) == (12, 12)
    assert len(found.points) <= 44
