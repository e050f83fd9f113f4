"""Many items at once, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.values import in_words
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen, wait_until_saved

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(made_up_texts(80), review={"blind_share": 0.1, "bulk_check": 0.5})


@pytest.fixture
def page(screen: Screen, open_page: OpenPage) -> Page:
    page = open_page(screen, "bulk", viewport={"width": 1280, "height": 2400})
    expect(page.locator("#group")).not_to_be_empty()
    return page


def in_view(page: Page) -> set[int]:
    """Find the places of the items that are wholly above the bar at the bottom."""
    places: list[int] = page.evaluate(
        """() => [...document.querySelectorAll("#cards button")].map((card, place) => {
          const box = card.getBoundingClientRect();
          const bar = document.querySelector(".acts").getBoundingClientRect();
          return box.top >= -1 && box.bottom <= bar.top + 1 ? place : -1;
        }).filter((place) => place >= 0)"""
    )
    return set(places)


def test_a_group_is_accepted_but_for_the_odd_ones(screen: Screen, page: Page) -> None:
    label = page.locator("#group").inner_text()
    cards = page.locator("#cards button")
    count = cards.count()
    page.keyboard.press("b")
    cards.nth(2).click()
    cards.nth(2).click()
    page.keyboard.press("ArrowLeft")
    expect(cards.nth(1)).to_have_attribute("aria-pressed", "false")
    page.locator("#group").focus()

    page.keyboard.press("Enter")

    wait_until_saved(page)
    rows = screen.decisions
    assert count > 3
    assert {(row.action, row.kind, in_words(row.value)) for row in rows} == {
        ("label", "bulk", label)
    }
    assert len(rows) == count - 1
    assert not any(row.blind or row.audit for row in rows)
    assert all(row.seconds is not None for row in rows)


def test_a_whole_group_is_taken_back_by_one_key(screen: Screen, page: Page) -> None:
    before = len(screen.item_labels)
    cards = page.locator("#cards button").count()
    page.keyboard.press("Enter")
    wait_until_saved(page)
    assert len(screen.item_labels) == before + cards

    page.keyboard.press("Backspace")

    wait_until_saved(page)
    assert len(screen.item_labels) == before
    expect(page.locator("#cards button")).to_have_count(cards)


def test_a_group_is_not_accepted_before_all_of_it_was_in_view(
    screen: Screen, open_page: OpenPage
) -> None:
    page = open_page(screen, "bulk", viewport={"width": 1280, "height": 560})
    expect(page.locator("#group")).not_to_be_empty()
    accept = page.locator("[data-act=accept]")
    cards, stored = page.locator("#cards button").count(), len(screen.decisions)
    seen = in_view(page)
    assert len(seen) < cards

    while "Show" in accept.inner_text():
        assert str(cards - len(seen)) in accept.inner_text()
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        seen |= in_view(page)
        assert len(screen.decisions) == stored

    assert seen == set(range(cards))
    page.keyboard.press("Enter")
    wait_until_saved(page)
    assert len(screen.decisions) == stored + cards
    page.keyboard.press("Backspace")
    wait_until_saved(page)


def test_a_text_that_is_cut_says_that_it_goes_on(
    make_screen: MakeScreen, open_page: OpenPage
) -> None:
    texts = ["a short one", "a long one " * 100]
    screen = make_screen(texts, proposed=["sport"] * 2, audited=False, review={"blind_share": 0.0})
    page = open_page(screen, "bulk")
    expect(page.locator("#cards .text")).to_have_count(2)
    marks = page.locator("#cards button").evaluate_all(
        "cards => cards.map(card => getComputedStyle(card, '::after').content)"
    )

    assert sorted(marks) == ['"… the text goes on"', "none"]


def test_another_group_comes_on_space(page: Page) -> None:
    first = page.locator("#cards button").first.inner_text()

    page.keyboard.press("Space")

    expect(page.locator("#cards button").first).not_to_have_text(first)


def test_a_share_is_asked_again_blind(screen: Screen, page: Page) -> None:
    page.keyboard.press("Enter")
    wait_until_saved(page)
    decided = {row.item_index for row in screen.decisions if row.kind == "bulk"}

    with page.expect_response("**/api/items") as answer:
        page.goto(screen.address)
    again = [item for item in answer.value.json()["items"] if item["item"] in decided]

    assert again
    assert all(item["blind"] and item["proposal"] == [] for item in again)
