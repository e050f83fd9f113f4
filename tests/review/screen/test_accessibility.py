"""What a screen reader, and an eye that sees little contrast, meet: axe finds nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.pipeline.reviewing.answer_files import record
from hilt.types import Decision
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen, violations, wait_for_item

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    screen = make_screen(made_up_texts(40), review={"introduction": "# Read\n\n- *all* of it"})
    said = [
        Decision(f"i{item}", "label", (label,), reviewer)
        for item in range(30, 34)
        for reviewer, label in (("ann", "sport"), ("bob", "tech"))
    ]
    record(screen.workspace, said)
    return screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "bulk", "adjudicate"])
def test_axe_finds_nothing(screen: Screen, open_page: OpenPage, path: str, scheme: str) -> None:
    page = open_page(screen, path, color_scheme=scheme)
    shown = {"": "#text p", "bulk": "#cards button", "adjudicate": "#opinions button"}
    expect(page.locator(shown[path]).first).not_to_be_empty()

    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_beside_them(
    screen: Screen, open_page: OpenPage, scheme: str
) -> None:
    signing_in = open_page(screen.address, color_scheme=scheme)
    expect(signing_in.get_by_label("Your token")).to_be_visible()
    wrong = open_page(screen, "nowhere", color_scheme=scheme)
    expect(wrong.get_by_role("link", name="Back to the items")).to_be_visible()

    assert violations(signing_in) == []
    assert violations(wrong) == []


@pytest.mark.parametrize("key", ["h", "?", "c"])
def test_axe_finds_nothing_in_what_a_key_opens(
    screen: Screen, open_page: OpenPage, key: str
) -> None:
    page = open_page(screen)
    wait_for_item(page)
    page.keyboard.press(key)

    assert violations(page) == []


def test_axe_finds_nothing_where_labels_are_typed(
    make_screen: MakeScreen, open_page: OpenPage
) -> None:
    many = make_screen(["one", "two"], labels=[f"label {number}" for number in range(40)])
    page = open_page(many)
    wait_for_item(page)
    page.keyboard.press("/")
    page.keyboard.type("1")

    assert violations(page) == []


def test_tab_reaches_everything_and_enter_on_a_button_only_presses_it(
    screen: Screen, open_page: OpenPage
) -> None:
    page = open_page(screen)
    wait_for_item(page)
    before = page.locator("#text").inner_text()
    page.get_by_role("button", name="Guidelines").focus()

    page.keyboard.press("Enter")

    expect(page.locator("#guidelines")).to_be_visible()
    assert page.locator("#text").inner_text() == before


def test_a_new_item_is_announced(screen: Screen, open_page: OpenPage) -> None:
    page = open_page(screen)
    wait_for_item(page)

    assert page.locator("#text").get_attribute("aria-live") == "polite"
    assert page.get_by_role("group", name="Labels").get_by_role("button").count() == 5
    assert page.get_by_role("button", pressed=True).count() <= 1
