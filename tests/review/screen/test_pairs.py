"""A third party's medium on the screen: two texts side by side, each under its name."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

import hilt
from tests.review.screen.conftest import Screen, violations, wait_for_item, wait_until_saved
from tests.toys.pairs_project import configure, rows

Open = Callable[..., Page]
WIDE = {"width": 1200, "height": 800}
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    folder = tmp_path_factory.mktemp("pairs")
    workspace = hilt.init(folder / "work", configure(folder))
    hilt.propose(workspace)
    hilt.select(workspace)
    screen = Screen(workspace)
    screen.start()
    yield screen
    screen.kill()
    workspace.database.close()


def lefts(page: Page) -> list[float]:
    boxes = [each.bounding_box() for each in page.locator("#text section").all()]
    return [box["x"] for box in boxes if box is not None]


@pytest.mark.parametrize(("size", "beside"), [(WIDE, True), (NARROW, False)])
def test_the_texts_stand_side_by_side_where_there_is_room(
    screen: Screen, open_page: Open, size: dict[str, int], beside: bool
) -> None:
    page = open_page(screen, viewport=size)
    wait_for_item(page)
    pairs = {(each["left"], each["second"]) for each in rows()}

    expect(page.locator("#text .field")).to_have_text(["left", "right"])
    shown = page.locator("#text p").all_inner_texts()
    assert tuple(shown) in pairs
    one, other = lefts(page)
    assert (one < other) == beside


def test_nothing_of_it_keeps_anybody_out(screen: Screen, open_page: Open) -> None:
    page = open_page(screen)
    wait_for_item(page)

    assert violations(page) == []


def test_an_answer_is_stored(screen: Screen, open_page: Open) -> None:
    page = open_page(screen)
    wait_for_item(page)
    left, right = page.locator("#text p").all_inner_texts()

    page.keyboard.press("1")
    wait_until_saved(page)

    (row,) = screen.decisions
    assert screen.workspace.pool.contents([row.item_index]) == [(left, right)]
    assert row.action == "label"
