"""Several people at once: tokens, second opinions, gold items, adjudication."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.reviewers import add_reviewer, remove_reviewer
from hilt.types import Decision
from hilt.values import value_of
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import (
    MakeScreen,
    Screen,
    text_of,
    wait_for_item,
    wait_until_saved,
)

OpenPage = Callable[..., Page]
SignIn = Callable[[str], Page]
ITEMS = 24


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    review = {"overlap": 2, "blind_share": 0.0, "gold_share": 0.0}
    return make_screen(made_up_texts(ITEMS), review=review)


@pytest.fixture(scope="module")
def tokens(screen: Screen) -> dict[str, str]:
    tokens = {
        name: add_reviewer(screen.workspace, name, adjudicator=name == "cleo")
        for name in ("ann", "bob", "cleo")
    }
    time.sleep(1.1)  # a running server learns of it within a second
    return tokens


@pytest.fixture
def sign_in(screen: Screen, tokens: dict[str, str], open_page: OpenPage) -> SignIn:
    def sign_in(name: str) -> Page:
        page = open_page(screen, "login")
        page.get_by_label("Your token").fill(tokens[name])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text(name, exact=True)).to_be_visible()
        return page

    return sign_in


def decide(page: Page, key: str) -> str:
    before = text_of(page)
    page.keyboard.press(key)
    expect(page.locator("#text")).not_to_have_text(before)
    return before


def test_two_people_at_once_each_get_every_item_and_the_second_sees_it_blind(
    screen: Screen, sign_in: SignIn
) -> None:
    ann, bob = sign_in("ann"), sign_in("bob")
    wait_for_item(ann)
    wait_for_item(bob)

    for _ in range(8):
        decide(ann, "1")
        decide(bob, "2")

    wait_until_saved(ann)
    wait_until_saved(bob)
    rows = screen.decisions
    by_ann = {row.item_index: row for row in rows if row.reviewer == "ann"}
    by_bob = {row.item_index: row for row in rows if row.reviewer == "bob"}
    both = by_ann.keys() & by_bob.keys()
    assert (len(by_ann), len(by_bob)) == (8, 8)
    assert len(both) >= 4
    assert all(by_ann[item].blind or by_bob[item].blind for item in both)


def test_whoever_has_answered_all_of_their_items_is_told_so(
    screen: Screen, sign_in: SignIn
) -> None:
    page = sign_in("ann")
    wait_for_item(page)
    own = len([row for row in screen.decisions if row.reviewer == "ann"])
    while own < ITEMS:
        decide(page, "1")
        own += 1

    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    expect(page.locator("#left")).to_have_text(f"0 of {ITEMS} left")
    assert page.locator("#progress").evaluate("bar => bar.value === bar.max")
    end = page.locator("#end")
    expect(end).to_contain_text(f"You answered {ITEMS} items")
    expect(end).to_contain_text(re.compile(r"\d+ items still wait for other people"))
    expect(end).not_to_contain_text("next batch")  # the whole pool is asked about already
    expect(end.get_by_role("button")).to_have_count(0)  # she is no adjudicator


def test_disagreements_are_settled_side_by_side(screen: Screen, sign_in: SignIn) -> None:
    page = sign_in("cleo")
    page.get_by_role("link", name="Disagreements").click()
    opinions = page.locator("#opinions button")
    expect(opinions).to_have_count(2)
    text = text_of(page)
    item = int(text.split(".")[0])
    said = opinions.nth(1).inner_text().split("\n")[-1]

    page.keyboard.press("2")

    expect(page.locator("#text")).not_to_have_text(text)
    wait_until_saved(page)
    row = screen.decisions[-1]
    assert (row.kind, row.reviewer, row.item_index, row.value) == (
        *("adjudication", "cleo", item),
        value_of(said),
    )
    assert screen.item_labels[item].value == value_of(said)

    page.keyboard.press("Backspace")
    expect(page.locator("#text")).to_have_text(text)
    wait_until_saved(page)
    assert screen.decisions[-1].action == "undo"

    page.get_by_label("Another label").select_option("sport")
    expect(page.locator("#text")).not_to_have_text(text)
    wait_until_saved(page)
    assert screen.item_labels[item].value == value_of("sport")


def test_a_rule_settles_what_is_left(screen: Screen, sign_in: SignIn) -> None:
    page = sign_in("cleo")
    page.goto(screen.address + "adjudicate")
    expect(page.locator("#opinions button")).to_have_count(2)

    expect(page.locator("#doubt")).to_contain_text("the skill of a reviewer is hardly known (")

    page.get_by_role("button", name="Settle by skill").click()

    expect(page.locator("#notice")).to_contain_text("Settled")
    row = screen.decisions[-1]
    assert (row.kind, row.reviewer) == ("rule", "resolved:skill")
    assert row.comment.startswith("probability ")


def test_only_an_adjudicator_may_settle(screen: Screen, sign_in: SignIn) -> None:
    page = sign_in("ann")

    expect(page.get_by_role("link", name="Disagreements")).to_have_count(0)
    answer = page.goto(screen.address + "adjudicate")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", name="Not for you")).to_be_visible()


def test_a_wrong_token_is_refused(
    screen: Screen, tokens: dict[str, str], open_page: OpenPage
) -> None:
    page = open_page(screen, "login")
    page.get_by_label("Your token").fill("guess")

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_have_text("This token is not valid.")


def test_known_answers_are_mixed_in_blind(make_screen: MakeScreen, open_page: OpenPage) -> None:
    screen = make_screen(
        made_up_texts(20), review={"gold_share": 0.5, "blind_share": 0.0, "overlap": 1}
    )
    gold = [Decision(f"i{n}", "label", ("sport",), "gold", kind="gold") for n in range(10, 20)]
    record(screen.workspace, gold)
    page = open_page(screen)
    wait_for_item(page)
    page.wait_for_timeout(1500)

    with page.expect_response("**/api/items") as answer:
        page.reload()

    items = answer.value.json()["items"]
    mixed = [item for item in items if item["item"] >= 10]
    assert mixed
    assert all(item["blind"] and item["proposal"] == [] for item in mixed)


def test_a_removed_reviewer_is_out_at_once(screen: Screen, sign_in: SignIn) -> None:
    page = sign_in("bob")
    remove_reviewer(screen.workspace, "bob")
    page.wait_for_timeout(1200)

    page.goto(screen.address)

    assert page.url.endswith("/login")
