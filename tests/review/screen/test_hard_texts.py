"""Texts and labels that screens stumble over: long, from right to left, or markup."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.values import in_words
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
EVERYTHING_SHOWN = {"blind_share": 0.0}


@pytest.fixture(scope="module")
def odd(make_screen: MakeScreen) -> Screen:
    texts = [SCRIPT, ARABIC, EMOJI, LONG, UNBROKEN, "the last one"]
    return make_screen(texts, labels=["<b>bold</b>", "رياضة", "🙂"], review=EVERYTHING_SHOWN)


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
    assert [in_words(row.value) for row in odd.decisions] == [
        "<b>bold</b>",
        "رياضة",
        "🙂",
        "<b>bold</b>",
    ]
