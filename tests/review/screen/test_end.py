"""A batch that is finished says what was done, what comes next, and has no button that is dead."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import (
    MakeScreen,
    Screen,
    text_of,
    violations,
    wait_for_item,
    wait_until_saved,
)

OpenPage = Callable[..., Page]
ACTS = ["undo", "guidelines", "keys"]


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen, browser: object) -> Screen:
    review = {"blind_share": 0.0, "gold_share": 0.0, "bulk_check": 0.0}
    near = {"near": False}
    return make_screen(made_up_texts(6), audited=False, ready=True, duplicates=near, review=review)


@pytest.fixture
def page(screen: Screen, open_page: OpenPage) -> Page:
    """A screen on which everything was decided; half as proposed, one flagged, one skipped."""
    page = open_page(screen)
    for key in ("Enter", "f", "Space", "Enter", "Enter", "other"):
        if page.locator("#item").get_attribute("aria-busy") == "true" and screen.decisions:
            break
        wait_for_item(page)
        before = text_of(page)
        other = page.locator("#labels [aria-pressed=false]").first
        other.click() if key == "other" else page.keyboard.press(key)
        expect(page.locator("#text")).not_to_have_text(before)
    wait_until_saved(page)
    expect(page.locator("#end")).to_be_visible()
    return page


def acts(page: Page) -> list[str]:
    """List what the buttons that are there would do."""
    done = "buttons => buttons.map(button => button.dataset.act ?? button.dataset.method)"
    found: list[str] = page.locator(".acts button:visible").evaluate_all(done)
    return found


def test_what_was_done_and_what_comes_next_is_said(screen: Screen, page: Page) -> None:
    end = page.locator("#end")

    expect(end.get_by_role("heading")).to_have_text("All done")
    expect(page.locator("#end-done")).to_have_text(
        "You answered 6 items, 1 changed, 1 skipped, 1 flagged, in less than a minute."
    )
    expect(end.locator("code")).to_have_text(f"hilt cycle {screen.workspace.folder}")
    expect(page.locator("#left")).to_have_text("0 of 6 left")


def test_axe_finds_nothing_on_it(page: Page) -> None:
    assert violations(page) == []


def test_no_button_is_left_that_would_do_nothing(page: Page) -> None:
    assert acts(page) == ACTS
    assert page.locator("#labels button:visible").count() == 0
    page.keyboard.press("Enter")
    page.keyboard.press("f")
    page.keyboard.press("1")
    expect(page.locator("#end")).to_be_visible()


def test_in_bulk_the_same_is_said(screen: Screen, page: Page) -> None:
    page.goto(screen.address + "bulk")

    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    assert acts(page) == ACTS
    expect(page.locator("#notice")).to_be_hidden()


def test_where_nobody_disagrees_there_is_nothing_to_settle(screen: Screen, page: Page) -> None:
    page.goto(screen.address + "adjudicate")

    expect(page.locator("#notice")).to_contain_text("There are no disagreements")
    assert acts(page) == ACTS


def test_where_no_batch_can_come_none_is_promised(page: Page) -> None:
    end = page.locator("#end-next")

    expect(end).to_contain_text("Everything is labelled; now train the student on the last labels.")
    expect(end).not_to_contain_text("next batch")
    expect(page.locator("#end-button")).to_have_text("Train on them now")


def test_the_last_answer_can_still_be_taken_back(screen: Screen, page: Page) -> None:
    page.keyboard.press("Backspace")

    expect(page.locator("#about")).to_have_text(re.compile("^Your answer was "))
    expect(page.locator("#end")).to_be_hidden()
    wait_until_saved(page)
    expect(page.locator("#left")).to_have_text("1 of 6 left")


def test_once_nothing_is_left_to_do_there_is_no_button(
    make_screen: MakeScreen, open_page: OpenPage
) -> None:
    texts, near = made_up_texts(2), {"near": False}
    screen = make_screen(texts, audited=False, ready=True, duplicates=near)
    page = open_page(screen)
    for _ in texts:
        wait_for_item(page)
        before = text_of(page)
        page.keyboard.press("Space")
        expect(page.locator("#text")).not_to_have_text(before)

    expect(page.locator("#end-next")).to_contain_text("Everything is decided")
    expect(page.locator("#end code")).to_have_text(f"hilt report {screen.workspace.folder}")
    expect(page.locator("#end-button")).to_be_hidden()


def test_a_batch_of_skips_is_followed_by_the_one_that_the_button_makes(
    small_workspace: Callable[[str], Workspace], open_page: OpenPage
) -> None:
    workspace = small_workspace("selected")
    items = workspace.database.batch_items()
    record(workspace, [Decision(row.item_id, "skip", (), "reviewer") for row in items])
    screen = Screen(workspace)
    screen.start()
    try:
        page = open_page(screen)
        expect(page.locator("#end code")).to_have_text(f"hilt select {workspace.folder}")

        page.get_by_role("button", name="Make the next batch").click()

        expect(page.locator("#end")).to_be_hidden(timeout=60_000)
        expect(page.locator("#item")).to_have_attribute("aria-busy", "false", timeout=60_000)
    finally:
        screen.kill()
        workspace.database.close()
