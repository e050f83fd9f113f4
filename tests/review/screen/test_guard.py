"""Which names a request may use, and how sessions and guesses are kept apart."""

import pytest

from hilt.review.screen.guard import is_loopback, may_be_named
from hilt.review.screen.markdown import render
from hilt.review.screen.sessions import WINDOW_SECONDS, LoginLimit


@pytest.mark.parametrize(
    ("bound", "host", "allowed"),
    [
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "10.0.0.5", False),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "desk", False),
        ("0.0.0.0", "10.0.0.5", True),
        ("0.0.0.0", "desk", True),
        ("0.0.0.0", "DESK", True),
        ("0.0.0.0", "evil.example", False),
        ("labels.example", "labels.example", True),
        ("labels.example", "evil.example", False),
    ],
)
def test_a_server_answers_to_its_own_names_alone(bound: str, host: str, allowed: bool) -> None:
    assert may_be_named(host, bound, ["desk"]) is allowed


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("desk", False)],
)
def test_only_the_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_an_address_that_fails_too_often_waits_and_others_do_not() -> None:
    limit = LoginLimit()
    for _ in range(5):
        assert limit.wait_seconds("a", 100.0) == 0
        limit.note_failure("a", 100.0)

    assert limit.wait_seconds("a", 110.0) == WINDOW_SECONDS - 10
    assert limit.wait_seconds("b", 110.0) == 0
    assert limit.wait_seconds("a", 100.0 + WINDOW_SECONDS) == 0


def test_many_addresses_together_wait_too() -> None:
    limit = LoginLimit()
    for number in range(50):
        limit.note_failure(f"address {number}", 100.0)

    assert limit.wait_seconds("another", 101.0) == WINDOW_SECONDS - 1


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](http://elsewhere.example/pixel.png)",
        '<img src=x onerror="alert(1)">',
    ],
)
def test_markdown_can_do_nothing(text: str) -> None:
    markup = str(render(text))

    assert "<script" not in markup
    assert "<img" not in markup
    assert 'href="javascript' not in markup
