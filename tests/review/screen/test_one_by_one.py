"""The screen in a real browser, one item at a time."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.pipeline.benchmarking.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen

OpenPage = Callable[..., Page]
EVERYTHING_SHOWN = {"blind_share": 0.0, "bulk_check": 0.0}


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(made_up_texts(80), review=EVERYTHING_SHOWN)


def text_of(page: Page) -> str:
    return page.locator("#text").inner_text()


def wait_for_item(page: Page) -> None:
    expect(page.locator("#item")).to_have_attribute("aria-busy", "false")


def wait_until_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_attribute("data-waiting", "0")


def test_enter_accepts_the_proposal_and_shows_the_next_item(
    screen: Screen, open_page: OpenPage
) -> None:
    page = open_page(screen.address)
    wait_for_item(page)
    first = text_of(page)
    proposed = page.locator("#labels [aria-pressed=true]").get_attribute("data-label")

    page.keyboard.press("Enter")

    expect(page.locator("#text")).not_to_have_text(re.compile(re.escape(first)))
    wait_until_saved(page)
    row = screen.decisions[-1]
    assert (row.action, row.labels, row.shown_label) == ("label", [proposed], proposed)
    assert row.reviewer == "reviewer"
    assert row.seconds is not None
