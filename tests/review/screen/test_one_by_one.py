"""The screen in a real browser, one item at a time."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.figures import whole_percent
from hilt.values import in_words, value_of
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import (
    MakeScreen,
    Screen,
    text_of,
    wait_for_item,
    wait_until_saved,
)

OpenPage = Callable[..., Page]
NOTHING_DRAWN = {"blind_share": 0.0, "bulk_check": 0.0}


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(
        made_up_texts(120),
        review={
            **NOTHING_DRAWN,
            "introduction": "Read the *whole* text.",
            "guidelines": {"sport": "Only **matches**. <b onclick='x()'>no</b>"},
        },
    )


@pytest.fixture
def page(screen: Screen, open_page: OpenPage) -> Page:
    page = open_page(screen)
    wait_for_item(page)
    return page


def move_to(page: Page, *, blind: bool) -> None:
    """Skip to the next item that is, or is not, blind."""
    while ("blind" in (page.locator("#about").get_attribute("class") or "")) != blind:
        press(page, "Space")


def press(page: Page, key: str) -> None:
    """Press a key that brings another item."""
    before = page.locator("#text").inner_text()
    page.keyboard.press(key)
    expect(page.locator("#text")).not_to_have_text(re.compile(re.escape(before)))


def test_a_probability_is_written_as_in_the_reasons(page: Page) -> None:
    move_to(page, blind=False)

    chosen = page.locator("#labels [aria-pressed=true] .probability")
    expect(chosen).to_have_text(whole_percent(0.62))


def test_enter_accepts_the_proposal_and_shows_the_next_item(screen: Screen, page: Page) -> None:
    move_to(page, blind=False)
    proposed = page.locator("#labels [aria-pressed=true]").get_attribute("data-label")

    press(page, "Enter")

    wait_until_saved(page)
    row = screen.decisions[-1]
    assert (row.action, row.value, row.seen) == ("label", *[value_of(str(proposed))] * 2)
    assert (row.reviewer, row.source, row.blind) == ("reviewer", "screen", False)


def test_a_digit_chooses_another_label_and_goes_on(screen: Screen, page: Page) -> None:
    press(page, "4")

    wait_until_saved(page)
    assert screen.decisions[-1].value == value_of("sport")


def test_space_skips_and_f_flags(screen: Screen, page: Page) -> None:
    press(page, "Space")
    press(page, "f")

    wait_until_saved(page)
    assert [row.action for row in screen.decisions[-2:]] == ["skip", "flag"]


def test_a_comment_goes_with_the_answer_and_its_letters_are_no_keys(
    screen: Screen, page: Page
) -> None:
    shown = text_of(page)
    page.keyboard.press("c")
    page.keyboard.type("fch? 1 x")
    page.keyboard.press("Enter")

    assert text_of(page) == shown
    press(page, "2")

    wait_until_saved(page)
    assert screen.decisions[-1].comment == "fch? 1 x"
    assert screen.decisions[-1].value == value_of("entertainment")


def test_a_comment_that_was_begun_outlives_undo_and_the_page(screen: Screen, page: Page) -> None:
    press(page, "1")
    shown = text_of(page)
    page.keyboard.press("c")
    page.keyboard.type("half a ")
    page.keyboard.press("Escape")
    press(page, "Backspace")
    press(page, "2")
    assert text_of(page) == shown
    expect(page.locator("#comment")).to_have_value("half a ")
    wait_until_saved(page)

    page.reload()
    wait_for_item(page)
    expect(page.locator("#comment")).to_have_value("half a ")
    page.keyboard.press("c")
    page.keyboard.press("End")
    page.keyboard.type("comment \ud83d")  # half an emoji, as a broken paste leaves it
    page.keyboard.press("Enter")
    press(page, "3")

    wait_until_saved(page)
    assert screen.decisions[-1].comment == "half a comment \ufffd"
    assert page.evaluate("Object.keys(localStorage).filter(key => /comment/.test(key))") == []


def test_where_the_browser_stores_nothing_answers_are_sent_all_the_same(
    screen: Screen, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('none'); } })"
    )
    page.goto(screen.opening)
    wait_for_item(page)
    page.keyboard.press("c")
    page.keyboard.type("kept in memory")
    page.keyboard.press("Escape")

    press(page, "2")

    wait_until_saved(page)
    assert screen.decisions[-1].comment == "kept in memory"


@pytest.mark.parametrize(("key", "did"), [("f", "flagged"), ("Space", "skipped")])
def test_what_leaves_no_trace_is_said_and_said_again_when_it_is_taken_back(
    page: Page, key: str, did: str
) -> None:
    press(page, key)
    expect(page.locator("#saved")).to_have_text(f"{did.capitalize()}. Saved")

    press(page, "Backspace")

    expect(page.locator("#saved")).to_have_text("Undone. Saved")
    expect(page.locator("#about")).to_contain_text(f"You {did} this item; the {did[:4]} is undone.")
    press(page, "1")
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    wait_for_item(page)


def test_undo_goes_back_across_items_as_far_as_one_likes(screen: Screen, page: Page) -> None:
    texts = []
    for key in "1234512345123":
        texts.append(text_of(page))
        press(page, key)
    wait_until_saved(page)
    before = len(screen.item_labels)

    for text in reversed(texts):
        press(page, "Backspace")
        assert text_of(page) == text

    wait_until_saved(page)
    assert len(screen.item_labels) == before - 13
    expect(page.locator("#about")).to_contain_text("13 items back. Your answer was")
    assert [row.action for row in screen.decisions[-13:]] == ["undo"] * 13


def test_what_was_said_before_the_page_was_opened_can_be_taken_back(
    screen: Screen, page: Page
) -> None:
    first = text_of(page)
    press(page, "3")
    wait_until_saved(page)
    page.reload()
    wait_for_item(page)

    press(page, "Control+z")

    assert text_of(page) == first
    expect(page.locator("#about")).to_have_text("Your answer was politics. Enter keeps it.")
    wait_until_saved(page)
    press(page, "Enter")
    wait_until_saved(page)
    assert screen.decisions[-1].value == value_of("politics")


def test_a_blind_item_shows_and_sends_no_proposal(screen: Screen, page: Page) -> None:
    with page.expect_response("**/api/items") as answer:
        page.reload()
    sent = answer.value.json()["items"]
    blind = [item for item in sent if item["blind"]]
    move_to(page, blind=True)

    shown = page.locator("#labels button")
    assert blind
    assert all(item["proposal"] == [] and item["reason"] is None for item in blind)
    assert all(not ({"score", "rank"} & set(item)) for item in sent)
    assert page.locator("#labels [aria-pressed=true]").count() == 0
    assert "".join(shown.locator(".probability").all_inner_texts()) == ""
    expect(page.locator("[data-act=accept]")).to_be_disabled()

    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_class(re.compile("nudge"))
    assert "blind" in str(page.locator("#about").get_attribute("class"))
    press(page, "1")
    wait_until_saved(page)
    row = screen.decisions[-1]
    assert (row.blind, row.audit, row.shown_label) == (True, True, None)


def test_labels_stay_where_they_are(page: Page) -> None:
    before = page.locator("#labels .name").all_inner_texts()

    press(page, "Space")

    assert page.locator("#labels .name").all_inner_texts() == before


def test_guidelines_and_keys_open_on_a_key_and_are_only_text(page: Page) -> None:
    page.keyboard.press("h")
    guidelines = page.locator("#guidelines")
    expect(guidelines).to_be_visible()
    assert guidelines.locator("em").inner_text() == "whole"
    assert guidelines.locator("strong").inner_text() == "matches"
    assert guidelines.locator("b").count() == 0
    page.keyboard.press("Escape")
    expect(guidelines).to_be_hidden()

    page.keyboard.press("?")

    expect(page.locator("#keys")).to_contain_text("Accept the chosen label")


def test_everything_works_by_mouse(screen: Screen, page: Page) -> None:
    first = text_of(page)
    page.get_by_role("group", name="Labels").get_by_role("button", name="sport").click()
    expect(page.locator("#text")).not_to_have_text(first)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#text")).to_have_text(first)
    page.get_by_role("button", name="Skip").click()
    expect(page.locator("#text")).not_to_have_text(first)
    page.get_by_role("button", name="Flag").click()

    wait_until_saved(page)
    assert [row.action for row in screen.decisions[-4:]] == ["label", "undo", "skip", "flag"]


def test_progress_is_always_in_view(page: Page) -> None:
    press(page, "1")
    wait_until_saved(page)

    expect(page.locator("#left")).to_have_text(re.compile(r"^\d+ of 120 left$"))
    expect(page.locator("#pace")).to_have_text(re.compile(r"items per hour$"))
    expect(page.locator("#accuracy")).to_have_text(
        re.compile(r"^proposals right: too early to say: \d+ checked$")
    )


def test_only_active_time_counts(screen: Screen, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.clock.install()
    page.goto(screen.opening)
    wait_for_item(page)
    page.keyboard.press("Shift")
    page.clock.run_for(20_000)
    page.keyboard.press("Shift")
    page.clock.run_for(300_000)

    press(page, "1")
    page.clock.run_for(1000)
    wait_until_saved(page)

    assert 49 < (screen.decisions[-1].seconds or 0) < 52


def test_nothing_is_lost_or_doubled_while_offline(screen: Screen, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.clock.install()
    page.goto(screen.opening)
    wait_for_item(page)
    before = len(screen.decisions)
    failed: list[object] = []
    page.on("requestfailed", lambda request: failed.append(request))  # a method of list is refused
    page.context.set_offline(True)
    for key in "12f45":
        press(page, key)
    press(page, "Backspace")
    expect(page.locator("#saved")).to_contain_text("No connection. 6 answers are kept here")
    for _ in range(30):  # seconds of the page's clock, each with its attempts to send
        page.clock.run_for(1000)
    assert len(failed) > 3
    press(page, "3")

    page.context.set_offline(False)

    wait_until_saved(page)
    said = [(row.action, in_words(row.value)) for row in screen.decisions[before:]]
    assert said == [
        ("label", "business"),
        ("label", "entertainment"),
        ("flag", "nothing"),
        ("label", "sport"),
        ("label", "tech"),
        ("undo", "nothing"),
        ("label", "politics"),
    ]


def test_answers_outlive_the_page_and_a_killed_server(screen: Screen, page: Page) -> None:
    before = len(screen.decisions)
    screen.kill()
    for key in "123":
        press(page, key)
    page.close()
    screen.start()

    again = page.context.new_page()
    again.goto(screen.address)
    wait_for_item(again)
    wait_until_saved(again)

    said = [in_words(row.value) for row in screen.decisions[before:]]
    assert said == ["business", "entertainment", "politics"]


def test_on_a_phone_everything_fits(screen: Screen, open_page: OpenPage) -> None:
    page = open_page(screen, viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True)
    wait_for_item(page)
    first = text_of(page)

    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("group", name="Labels").get_by_role("button", name="tech").tap()

    assert not wide
    expect(page.locator("#text")).not_to_have_text(first)
    expect(page.locator("[data-act=accept]")).to_be_in_viewport()
    expect(page.locator("#labels button").last).to_be_in_viewport()
