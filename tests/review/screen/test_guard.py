"""Which names a request may use, and how sessions and guesses are kept apart."""

import pytest

from hilt.review.screen.guard import is_loopback, may_be_named
from hilt.review.screen.markdown import render
from hilt.review.screen.signing_in import MAX_SECONDS, WINDOW_SECONDS, SlowDown


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


def test_wrong_tokens_wait_longer_and_longer_by_their_address_alone() -> None:
    slow_down = SlowDown()

    waits = [slow_down.note("a", 100.0) for _ in range(20)]

    assert waits[:7] == [0, 0, 0, 0, 0, 0.5, 1.0]
    assert waits == sorted(waits)
    assert waits[-1] == MAX_SECONDS
    assert slow_down.note("b", 100.0) == 0
    assert slow_down.note("a", 100.0 + WINDOW_SECONDS) == 0
    assert set(slow_down.failures) == {"a"}  # who has waited long enough is forgotten


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
