"""What is in view: on a desk, on a phone in both directions, with few labels and with many."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.review.screen.conftest import MakeScreen, Screen, text_of, wait_for_item
from tests.review.screen.names import BANKING77

OpenPage = Callable[..., Page]
TEXTS = ["Why was I charged twice for the same lamp? My statement shows it on the 3rd and the 4th."]
TEXTS += [f"Question {number}: where is the parcel that I sent back?" for number in range(13)]
EVERYTHING_SHOWN = {"blind_share": 0.0, "gold_share": 0.0}
PHONE = {"has_touch": True, "is_mobile": True}
WINDOWS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 720}},
    "upright": {"viewport": {"width": 390, "height": 844}, **PHONE},
    "narrow": {"viewport": {"width": 375, "height": 667}, **PHONE},
    "smallest": {"viewport": {"width": 320, "height": 568}, **PHONE},
    "on its side": {"viewport": {"width": 740, "height": 360}, **PHONE},
}
# Parts of a name between two signs of which any is drawn on more than one line.
BROKEN_WORDS = """() => [...document.querySelectorAll("#labels .name")].flatMap((name) =>
  [...name.childNodes].filter((node) => node.nodeType === 3).filter((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map((box) => box.top)).size > 1;
  }).map((node) => node.textContent))"""
# Of what a person needs, what is not all in the window, or lies below something else.
OUT_OF_VIEW = """(selectors) => selectors.filter((selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  const down = Math.min(box.height / 2, 20);
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + down);
  const inside = box.width > 0 && box.height > 0 && box.x >= 0 && box.y >= 0
    && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  return !inside || !middle.closest(selector);
})"""
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"
DOWN = "document.documentElement.scrollHeight > innerHeight + 1"


@pytest.fixture(scope="module")
def few(make_screen: MakeScreen) -> Screen:
    return make_screen(TEXTS, review=EVERYTHING_SHOWN)


@pytest.fixture(scope="module")
def many(make_screen: MakeScreen) -> Screen:
    return make_screen(TEXTS, labels=BANKING77, review=EVERYTHING_SHOWN)


def out_of_view(page: Page, *selectors: str) -> list[str]:
    found: list[str] = page.evaluate(OUT_OF_VIEW, list(selectors))
    return found


def move_to_blind(page: Page) -> None:
    while "blind" not in (page.locator("#about").get_attribute("class") or ""):
        before = text_of(page)
        page.keyboard.press("Space")
        expect(page.locator("#text")).not_to_have_text(before)


@pytest.mark.parametrize("window", WINDOWS)
def test_text_and_answers_are_in_view_with_few_labels(
    few: Screen, open_page: OpenPage, window: str
) -> None:
    page = open_page(few, **WINDOWS[window])
    wait_for_item(page)
    needed = ["#text p", "#labels button:last-child", "[data-act=accept]", "[data-act=flag]"]

    assert out_of_view(page, *needed) == []
    assert page.evaluate(BROKEN_WORDS) == []
    assert not page.evaluate(SIDEWAYS)
    assert not page.evaluate(DOWN)


@pytest.mark.parametrize("window", WINDOWS)
def test_with_many_labels_the_open_list_never_covers_the_text(
    many: Screen, open_page: OpenPage, window: str
) -> None:
    page = open_page(many, **WINDOWS[window])
    wait_for_item(page)
    assert out_of_view(page, "#text p", "#filter", "#labels button:not([hidden])") == []
    assert page.evaluate(BROKEN_WORDS) == []
    page.keyboard.press("/")
    assert out_of_view(page, "#text p", "#filter", "#found li") == []
    page.keyboard.press("Escape")

    move_to_blind(page)

    assert out_of_view(page, "#text p", "#filter", "#labels button", "[data-act=accept]") == []
    assert page.evaluate(BROKEN_WORDS) == []
    page.keyboard.press("/")
    assert out_of_view(page, "#text p", "#filter", "#found li") == []
    assert not page.evaluate(SIDEWAYS)
    assert not page.evaluate(DOWN)


def test_what_goes_on_below_shows_that_it_does(
    make_screen: MakeScreen, open_page: OpenPage
) -> None:
    long = make_screen(["word " * 2000, "short"], audited=False, review=EVERYTHING_SHOWN)
    page = open_page(long)
    wait_for_item(page)
    text = page.locator("#text")
    expect(text).to_have_class("text long huge goes-on")

    page.keyboard.press("End")

    expect(text).to_have_class("text long huge")
