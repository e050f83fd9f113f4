"""Texts and labels that screens stumble over: many, long, from right to left, or markup."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.review.screen.conftest import (
    MakeScreen,
    Screen,
    text_of,
    wait_for_item,
    wait_until_saved,
)

OpenPage = Callable[..., Page]
SCRIPT = "<script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
ARABIC = "هذا النص عن كرة القدم، 3-1!"
EMOJI = "👩‍👩‍👧‍👦 so happy 🏳️‍🌈 1️⃣"
LONG = "\n".join(f"line {number} " + "word " * 39 for number in range(980))
UNBROKEN = "x" * 10_000
MANY = [f"topic_{number:02d}" for number in range(75)] + ["card_arrival", "Überweisung"]
EVERYTHING_SHOWN = {"blind_share": 0.0}


@pytest.fixture(scope="module")
def odd(make_screen: MakeScreen) -> Screen:
    texts = [SCRIPT, ARABIC, EMOJI, LONG, UNBROKEN, "the last one"]
    return make_screen(texts, labels=["<b>bold</b>", "رياضة", "🙂"], review=EVERYTHING_SHOWN)


@pytest.fixture(scope="module")
def many(make_screen: MakeScreen) -> Screen:
    texts = [f"text {number}" for number in range(30)]
    return make_screen(texts, labels=MANY, review=EVERYTHING_SHOWN)


def test_each_odd_text_is_shown_as_it_is(odd: Screen, open_page: OpenPage) -> None:
    page = open_page(odd)
    wait_for_item(page)

    assert text_of(page) == SCRIPT
    assert "broken" not in page.title()
    assert page.locator("#text img").count() == 0
    assert page.locator("#labels .name").all_inner_texts() == ["<b>bold</b>", "رياضة", "🙂"]

    page.keyboard.press("1")
    expect(page.locator("#text")).to_have_text(ARABIC)
    direction = "getComputedStyle(document.querySelector('#text p')).direction"
    assert page.evaluate(direction) == "rtl"

    page.keyboard.press("2")
    expect(page.locator("#text")).to_have_text(EMOJI)

    page.keyboard.press("3")
    expect(page.locator("#text")).to_contain_text("line 979")
    assert len(LONG) > 200_000
    assert page.locator("#text").text_content() == LONG.replace("\n", "")
    expect(page.locator("#labels button").first).to_be_in_viewport()

    started = time.monotonic()
    page.keyboard.press("1")
    expect(page.locator("#text")).to_have_text(UNBROKEN)
    assert time.monotonic() - started < 1
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    wait_until_saved(page)
    assert [row.labels for row in odd.decisions] == [
        ["<b>bold</b>"],
        ["رياضة"],
        ["🙂"],
        ["<b>bold</b>"],
    ]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("/card", "card_arrival"),
        ("t37", "topic_37"),
        ("/uber", "Überweisung"),
        ("arrival", "card_arrival"),
        ("o42", "topic_42"),
    ],
)
def test_one_of_77_labels_is_found_by_typing(
    many: Screen, open_page: OpenPage, typed: str, label: str
) -> None:
    page = open_page(many)
    wait_for_item(page)
    before = text_of(page)

    page.keyboard.type(typed)
    page.keyboard.press("Enter")

    expect(page.locator("#text")).not_to_have_text(before)
    wait_until_saved(page)
    assert many.decisions[-1].labels == [label]


def test_of_many_labels_the_candidates_have_digits(many: Screen, open_page: OpenPage) -> None:
    page = open_page(many)
    wait_for_item(page)
    before = text_of(page)
    shown = page.locator("#labels button:visible")
    assert shown.count() == 2
    second = shown.nth(1).get_attribute("data-label")

    page.keyboard.press("2")

    expect(page.locator("#text")).not_to_have_text(before)
    wait_until_saved(page)
    assert many.decisions[-1].labels == [second]


def test_command_letters_stay_commands_and_escape_leaves_the_filter(
    many: Screen, open_page: OpenPage
) -> None:
    page = open_page(many)
    wait_for_item(page)
    before = text_of(page)

    page.keyboard.press("c")
    expect(page.locator("#comment")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    page.keyboard.press("Enter")
    assert text_of(page) == before
    page.keyboard.press("Escape")

    page.keyboard.press("f")

    expect(page.locator("#text")).not_to_have_text(before)
    wait_until_saved(page)
    assert many.decisions[-1].action == "flag"


def test_a_blind_item_of_many_labels_lists_them_all_in_their_order(
    many: Screen, open_page: OpenPage
) -> None:
    page = open_page(many)
    wait_for_item(page)
    while "blind" not in (page.locator("#about").get_attribute("class") or ""):
        before = text_of(page)
        page.keyboard.press("Space")
        expect(page.locator("#text")).not_to_have_text(before)

    assert page.locator("#labels button:visible .name").all_inner_texts() == MANY
