"""What the server refuses, over real HTTP."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from hilt.pipeline.reviewing.reviewers import add_reviewer
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen

ITEMS = {"holding": [], "count": 3}


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(made_up_texts(10))


@pytest.fixture(scope="module")
def guarded(make_screen: MakeScreen) -> tuple[Screen, str]:
    """A server that asks for tokens, and one of them."""
    screen = make_screen(made_up_texts(10))
    screen.kill()
    token = add_reviewer(screen.workspace, "ann")
    screen.start()
    return screen, token


@pytest.fixture
def client(screen: Screen) -> Iterator[httpx.Client]:
    """A browser that was let in."""
    with httpx.Client(base_url=screen.address) as client:
        client.get(screen.opening, follow_redirects=True)
        yield client


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


def test_every_answer_carries_a_strict_policy(client: httpx.Client) -> None:
    for path in ("/", "/login", "/static/review.js", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_no_page_has_a_script_or_a_style_in_it(client: httpx.Client) -> None:
    for path in ("/", "/bulk", "/adjudicate"):
        page = client.get(path).text
        assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page) == []
        assert re.findall(r"(?:src|href)=\"(?!/)", page) == []


def test_a_request_that_is_not_from_a_page_is_refused(client: httpx.Client) -> None:
    token = csrf(client.get("/"))
    headers = {"X-CSRF-Token": token}

    assert client.post("/api/items", json=ITEMS).status_code == 403
    assert client.post("/api/items", json=ITEMS, headers=headers).status_code == 200
    for stranger in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = client.post("/api/items", json=ITEMS, headers=headers | stranger)
        assert refused.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "192.168.0.7", ""])
def test_a_name_that_is_not_this_machines_is_refused(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 421


def test_a_request_that_is_too_long_is_refused(client: httpx.Client) -> None:
    token = csrf(client.get("/"))

    answer = client.post("/api/items", content=b" " * 3_000_000, headers={"X-CSRF-Token": token})

    assert answer.status_code == 413


def test_what_cannot_be_stored_is_refused_with_a_reason(
    screen: Screen, client: httpx.Client
) -> None:
    headers = {"X-CSRF-Token": csrf(client.get("/"))}
    answers = [
        {"key": "key-00001", "item": 999, "act": "skip"},
        {"key": "key-00002", "item": 1, "act": "label", "value": [{"label": "sprot"}]},
        {"key": "key-00003", "item": 1, "act": "undo", "withdraws": "key-00009"},
        {"key": "key-00004", "item": 1, "act": "skip", "value": [{"label": "sport"}]},
    ]

    receipts = client.post("/api/answers", json={"answers": answers}, headers=headers).json()

    assert [each["refused"] for each in receipts["receipts"]] == [
        "there is no item 999",
        "'sprot' is not a label. Did you mean: sport? Labels: business, entertainment, politics,"
        " sport, tech.",
        "there is no decision left to undo",
        "the action is 'skip' but the answer is 'sport'.",
    ]
    assert screen.decisions == []


def test_where_there_are_reviewers_the_address_lets_nobody_in(guarded: tuple[Screen, str]) -> None:
    assert guarded[0].opening == guarded[0].address


def test_a_session_outlives_the_server_but_not_a_new_token(guarded: tuple[Screen, str]) -> None:
    screen, token = guarded
    with httpx.Client(base_url=screen.address) as client:
        assert client.post("/login", data={"token": token}).headers["location"] == "/"
        assert client.get("/").status_code == 200
        screen.kill()
        screen.start()
        assert client.get("/").status_code == 200

        add_reviewer(screen.workspace, "ann")
        screen.kill()
        screen.start()
        assert client.get("/").headers["location"] == "/login"


def test_guesses_are_slowed_down_in_both_ways_and_a_right_token_never(
    guarded: tuple[Screen, str],
) -> None:
    screen = guarded[0]
    token = add_reviewer(screen.workspace, "eve")
    time.sleep(1.01)  # a running server learns of it within a second
    with httpx.Client(base_url=screen.address) as client:
        for _ in range(3):
            assert client.post("/login", data={"token": "guess"}).status_code == 403
            assert client.get("/?token=guess").status_code == 403

        late = [client.post("/login", data={"token": "guess"}), client.get("/?token=guess")]
        right = client.post("/login", data={"token": token})

    assert all(each.elapsed.total_seconds() > 0.4 for each in late)
    assert right.headers["location"] == "/"
    assert right.elapsed.total_seconds() < 0.4


def test_a_valid_token_wins_over_the_session_that_was_there(guarded: tuple[Screen, str]) -> None:
    screen = guarded[0]
    tokens = {name: add_reviewer(screen.workspace, name) for name in ("ann", "bob")}
    time.sleep(1.01)
    with httpx.Client(base_url=screen.address, follow_redirects=True) as client:
        assert 'content="ann"' in client.get(f"/?token={tokens['ann']}").text
        assert 'content="bob"' in client.get(f"/?token={tokens['bob']}").text
        assert 'content="bob"' in client.get("/?token=old").text
