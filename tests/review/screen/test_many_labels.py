"""Many labels: whatever is typed looks for one, and commands need Alt or come after Escape."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from hilt.values import value_of
from tests.review.screen.conftest import (
    MakeScreen,
    Screen,
    text_of,
    wait_for_item,
    wait_until_saved,
)
from tests.review.screen.names import BANKING77

OpenPage = Callable[..., Page]
OTHERS = ["_unclear", "x-ray fee", "4th_card", "Überweisung", "help/human", "card"]
MEANINGS = {
    "card_swallowed": "The machine kept the card",
    "compromised_card": "Theft, or somebody else pays with it",
}
LABELS = {name: MEANINGS.get(name, name) for name in (*BANKING77, *OTHERS)}


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    texts = [f"text {number}" for number in range(40)]
    return make_screen(texts, labels=LABELS, review={"blind_share": 0.0, "gold_share": 0.0})


@pytest.fixture
def page(screen: Screen, open_page: OpenPage) -> Page:
    page = open_page(screen)
    wait_for_item(page)
    return page


@pytest.fixture
def unanswered(screen: Screen) -> Iterator[None]:
    """Nothing may be stored by what a test does."""
    before = len(screen.decisions)
    yield
    assert len(screen.decisions) == before


def next_item(page: Page, *keys: str) -> None:
    """Press keys of which the last brings another item."""
    before = text_of(page)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#text")).not_to_have_text(before)


def found(page: Page) -> list[str]:
    names = "options => options.map(option => option.dataset.label)"
    listed: list[str] = page.locator("#found:visible [role=option]").evaluate_all(names)
    return listed


@pytest.mark.usefixtures("unanswered")
def test_each_label_is_listed_after_its_first_four_letters(page: Page) -> None:
    shown = text_of(page)
    missing = []

    for name in LABELS:
        page.keyboard.type(name[:4])
        if name not in found(page):
            missing.append(name)
        page.keyboard.press("Escape")

    assert len(BANKING77) == 77
    assert missing == []
    assert text_of(page) == shown
    expect(page.locator("#comment-line")).to_be_hidden()


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("/card", "card"),  # of all that begin so, the one of that very name
        ("cash_w", "cash_withdrawal_charge"),
        ("arrival", "card_arrival"),
        ("/uber", "Überweisung"),
        ("/ubw", "Überweisung"),
        ("_unc", "_unclear"),
        ("machine kept", "card_swallowed"),
        ("theft", "compromised_card"),
        ("4", "4th_card"),  # a digit that no candidate has
    ],
)
def test_what_is_typed_is_found_and_taken_by_enter(
    screen: Screen, page: Page, typed: str, label: str
) -> None:
    page.keyboard.type(typed)
    next_item(page, "Enter")

    wait_until_saved(page)
    assert screen.decisions[-1].value == value_of(label)


@pytest.mark.usefixtures("unanswered")
def test_what_matches_nothing_is_said_and_enter_does_nothing(page: Page) -> None:
    shown = text_of(page)
    page.keyboard.type("zzz")
    expect(page.locator("#found-none")).to_have_text("No label, and no description, matches “zzz”.")

    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Backspace")
    assert len(found(page)) == len(LABELS)
    page.keyboard.press("Enter")  # nothing is typed, so no label is meant

    assert text_of(page) == shown


@pytest.mark.parametrize("keys", [["Alt+f"], ["Escape", "f"], ["Escape", "Shift+F"]])
def test_a_command_needs_alt_or_comes_after_escape(
    screen: Screen, page: Page, keys: list[str]
) -> None:
    next_item(page, *keys)

    wait_until_saved(page)
    assert screen.decisions[-1].action == "flag"


PRESS = "(init) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', init))"


def press(page: Page, **init: object) -> None:
    """Press a key as another keyboard would."""
    page.evaluate(PRESS, {"bubbles": True, "cancelable": True, **init})


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("u", "KeyF"),  # Dvorak: U is where others have F
        ("U", "KeyF"),
        ("ü", "KeyU"),  # macOS: Alt types another character,
        ("Dead", "KeyU"),  # or the accent of one
    ],
)
def test_what_is_written_on_the_key_counts_wherever_it_is(
    screen: Screen, page: Page, key: str, code: str
) -> None:
    first = text_of(page)
    next_item(page, "Space")
    wait_until_saved(page)

    press(page, key=key, code=code, altKey=True)

    expect(page.locator("#text")).to_have_text(first)
    wait_until_saved(page)
    assert screen.decisions[-1].action == "undo"
    expect(page.locator("#filter")).not_to_be_focused()


@pytest.mark.usefixtures("unanswered")
@pytest.mark.parametrize("key", ["Process", "Dead", "Unidentified"])
def test_an_input_method_or_an_accent_begins_a_search(page: Page, key: str) -> None:
    press(page, key=key, code="KeyK")
    expect(page.locator("#filter")).to_be_focused()

    page.keyboard.insert_text("Über")

    assert found(page) == ["Überweisung"]


@pytest.mark.usefixtures("unanswered")
def test_escape_is_for_one_key_and_out_of_a_field_for_none(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("#filter")).to_have_attribute(
        "placeholder", "Now F flags, C comments, U undoes, H shows the guidelines"
    )
    page.keyboard.type("compr")
    expect(page.locator("#comment")).to_be_focused()
    assert page.locator("#comment").input_value() == "ompr"
    page.keyboard.press("Escape")
    page.keyboard.type("fiat")
    assert found(page) == ["fiat_currency_support"]
    page.keyboard.press("Escape")
    page.keyboard.type("help")
    assert found(page)[0] == "help/human"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.type("help")

    expect(page.locator("#guidelines")).to_be_visible()


def test_the_keys_that_are_listed_are_those_that_work(page: Page) -> None:
    page.keyboard.press("?")
    terms = page.locator("#keys dt").all_inner_texts()
    hints = page.locator(".acts kbd").all_inner_texts()

    assert {"Alt+F Esc F", "Alt+C Esc C", "Alt+H Esc H", "⌫ Alt+U Esc U Ctrl+Z"} < set(terms)
    assert terms[0] == "a letter /"
    assert hints == ["space", "Alt+F", "Alt+C", "⌫", "Alt+H", "?", "↵"]


def test_of_many_labels_the_candidates_have_digits(screen: Screen, page: Page) -> None:
    shown = page.locator("#labels button:visible")
    assert shown.count() == 2
    second = shown.nth(1).get_attribute("data-label")

    next_item(page, "2")

    wait_until_saved(page)
    assert screen.decisions[-1].value == value_of(str(second))


def test_a_blind_item_lists_all_labels_in_their_order(page: Page) -> None:
    while "blind" not in (page.locator("#about").get_attribute("class") or ""):
        next_item(page, "Space")

    assert page.locator("#labels button:visible .name").all_inner_texts() == list(LABELS)
