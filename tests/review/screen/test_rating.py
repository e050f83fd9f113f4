"""A third party's task on the screen, by the part that is for every answer of one label."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from hilt.values import value_of
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen, wait_for_item, wait_until_saved

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(made_up_texts(12), labels=list("12345"), task="tests.toys.rating:Rating")


def test_a_digit_is_a_rating(screen: Screen, open_page: OpenPage) -> None:
    page = open_page(screen)
    wait_for_item(page)
    expect(page.locator("#labels button")).to_have_count(5)

    page.keyboard.press("4")
    wait_for_item(page)
    page.keyboard.press("Enter")
    wait_until_saved(page)

    first, second = screen.decisions[-2:]
    assert first.value == value_of("4")
    assert second.value == (second.seen or second.value)


def test_a_task_without_a_part_says_that_answers_come_by_file(make_screen: MakeScreen) -> None:
    screen = make_screen(
        made_up_texts(3),
        task="tests.toys.words:Words",
        proposers=[{"kind": "tests.toys.word_models:Lexicon", "settings": {"words": {}}}],
        student={"kind": "tests.toys.word_models:WordCounts"},
    )

    with httpx.Client(follow_redirects=True) as client:
        pages = [client.get(screen.opening), client.get(screen.address + "bulk")]

    for page in pages:
        assert page.status_code == 200
        assert "no part for the task “words”" in page.text
        assert "hilt export WORK answers.csv" in page.text
