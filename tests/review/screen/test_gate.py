"""Who may open the screen: without the address's token, or a reviewer's, nobody sees anything."""

import re
import stat
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect
from starlette.routing import Mount

from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.review.screen.app import create_app
from hilt.review.screen.opening import no_page_left, open_browser
from scripts.support.rehearsal import made_up_texts
from tests.review.screen.conftest import MakeScreen, Screen, wait_for_item

OpenPage = Callable[..., Page]
SIGNING_IN = ("/login", "/logout")
NOT_ASCII = "clé-ключ-²".encode()
HIDDEN = ("politics", "sport", "the market", "introduction", "i0")  # what nobody may read


@pytest.fixture(scope="module")
def screen(make_screen: MakeScreen) -> Screen:
    return make_screen(made_up_texts(6), review={"introduction": "An introduction."})


@pytest.fixture
def stranger(screen: Screen) -> Iterator[httpx.Client]:
    """Another user of the machine: the port is known, the token is not."""
    with httpx.Client(base_url=screen.address) as client:
        yield client


@pytest.fixture
def known(screen: Screen) -> Iterator[httpx.Client]:
    """Whoever opened the address that was printed."""
    with httpx.Client(base_url=screen.address) as client:
        page = client.get(screen.opening, follow_redirects=True)
        found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', page.text)
        assert found is not None
        client.headers["X-CSRF-Token"] = found[1]
        yield client


def routes(screen: Screen) -> list[tuple[str, str]]:
    """List every method and path that the application answers to."""
    app = create_app(WorkspaceDesk(screen.workspace))
    found = [route for route in app.routes if isinstance(route, APIRoute)]
    (other,) = (route for route in app.routes if not isinstance(route, APIRoute))
    assert isinstance(other, Mount)
    assert other.path == "/static"
    return [(method, route.path) for route in found for method in sorted(route.methods or ())]


def cookie_name(client: httpx.Client) -> str:
    (name,) = client.cookies.keys()
    return name


def test_without_the_token_no_route_answers(screen: Screen, stranger: httpx.Client) -> None:
    seen = routes(screen)

    answers = [
        (path, stranger.request(method, path, content=content))
        for method, path in seen
        for content in (b"", b"{", b'{"answers": []}')
    ]

    assert len(seen) > 12
    for path, answer in answers:
        if path.startswith("/api/"):
            assert answer.status_code == 401
        elif path not in SIGNING_IN:
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert not any(text in answer.text for text in HIDDEN)


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/docs", "/openapi.json", "/api"])
def test_a_stranger_is_not_told_what_there_is(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code in (303, 401)


def test_the_printed_address_lets_in_and_is_traded_for_a_cookie(screen: Screen) -> None:
    with httpx.Client(base_url=screen.address) as client:
        answer = client.get(screen.opening)

        cookie = answer.headers["set-cookie"].lower()
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert answer.headers["cache-control"] == "no-store"
        assert "csrf-token" in client.get("/").text


def test_the_token_is_taken_out_of_the_address_of_who_is_in_too(known: httpx.Client) -> None:
    assert known.get("/?token=old").headers["location"] == "/"


@pytest.mark.parametrize("token", ["", "guess", "clé", "%ff", "a" * 5000])
def test_a_wrong_token_opens_nothing(stranger: httpx.Client, token: str) -> None:
    answer = stranger.get(f"/?token={token}")

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "printed last" in answer.text


def test_the_token_can_be_pasted_with_its_address_too(screen: Screen) -> None:
    with httpx.Client(base_url=screen.address) as client:
        given = client.post("/login", data={"token": screen.opening})

        assert given.headers["location"] == "/"
        assert client.get("/").status_code == 200


def test_a_restart_makes_a_new_token_and_keeps_who_was_in(
    screen: Screen, known: httpx.Client
) -> None:
    before = screen.opening
    screen.kill()

    screen.start()

    assert screen.opening != before
    assert known.post("/api/items", json={"holding": [], "count": 1}).status_code == 200
    assert httpx.get(before).status_code == 403


@pytest.mark.parametrize(
    "cookie",
    [
        b"",
        b"reviewer",
        b"a.b.c.d",
        b"cmV2aWV3ZXI=.9999999999.00",
        b"cmV2aWV3ZXI=.9999999999.\xe9",
        b"\xff\xfe.9999999999.00",
        b"cmV2aWV3ZXI=.\xb2.00",
        NOT_ASCII,
    ],
)
def test_a_forged_session_is_refused_whatever_is_in_it(
    known: httpx.Client, stranger: httpx.Client, cookie: bytes
) -> None:
    headers = {b"Cookie": cookie_name(known).encode() + b"=" + cookie}

    assert stranger.get("/", headers=headers).headers["location"] == "/login"
    assert stranger.get("/api/past", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("X-CSRF-Token", NOT_ASCII, 403),
        ("Host", NOT_ASCII, 421),
        ("Origin", NOT_ASCII, 403),
        ("Sec-Fetch-Site", NOT_ASCII, 403),
        ("Cookie", NOT_ASCII, 401),
        ("Content-Type", NOT_ASCII, 422),
        ("Accept-Language", NOT_ASCII, 200),
    ],
)
def test_no_header_that_is_not_ascii_breaks_the_server(
    known: httpx.Client, name: str, value: bytes, code: int
) -> None:
    content = b'{"holding": [], "count": 1}'
    headers = httpx.Headers({**known.headers, "Content-Type": "application/json"})
    headers[name] = value.decode("latin-1")

    assert known.post("/api/items", content=content, headers=headers).status_code == code


ANSWER = b'{"answers": [{"key": "12345678", "item": 0, "act": "skip", %s}]}'


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("/api/answers", ANSWER % b'"seconds": NaN', 422),
        ("/api/answers", ANSWER % b'"seconds": 1e999', 422),
        ("/api/answers", ANSWER % b'"comment": "\\ud800"', 422),
        ("/api/answers", b'{"answers": "\\udfff"}', 422),
        ("/api/answers", b"\xff\xfe", 422),
        ("/api/answers", b"[" * 100_000, 400),
        ("/api/items", b'{"holding": [%s], "count": 1}' % (b"9" * 4000), 422),
        ("/api/release", b'{"items": [-1, 99999999999999999999]}', 422),
        ("/api/group", b'{"skipped": [99999999999999999999]}', 422),
        ("/api/settle", '{"method": "skäll"}'.encode(), 422),
        ("/login", b"token=%ff%00\xff", 403),
    ],
)
def test_no_body_breaks_the_server(
    known: httpx.Client, path: str, content: bytes, code: int
) -> None:
    answer = known.post(path, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/past?count=" + "9" * 5000, 422),
        ("/api/past?count=%ff", 422),
        ("/api/past?before=%00%ff", 200),
        ("/static/%00", 404),
        ("/static/" + "a" * 5000, 404),
        ("/static/../api.py", 404),
        ("/%ff", 404),
    ],
)
def test_no_address_breaks_the_server(known: httpx.Client, path: str, code: int) -> None:
    assert known.get(path).status_code == code


def test_a_wrong_page_is_a_page_and_a_wrong_call_is_json(known: httpx.Client) -> None:
    page, call = known.get("/nowhere"), known.get("/api/nowhere")

    assert (page.status_code, call.status_code) == (404, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert '<a href="/"' in page.text
    assert call.json() == {"detail": "Not Found"}
    assert known.put("/bulk").headers["content-type"].startswith("text/html")


def test_who_comes_without_the_token_is_shown_how_to_get_it(
    screen: Screen, open_page: OpenPage
) -> None:
    page = open_page(screen.address)

    expect(page.get_by_label("Your token")).to_be_focused()
    expect(page.locator("body")).to_contain_text("Open the address that hilt review printed")
    assert page.url.endswith("/login")
    assert not any(text in page.content() for text in HIDDEN)
    page.get_by_label("Your token").fill(screen.opening)
    page.keyboard.press("Enter")
    wait_for_item(page)


def test_the_browser_is_led_in_and_shows_no_token(
    screen: Screen, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)

    with no_page_left(tmp_path):
        open_browser(screen.opening, tmp_path)
        (file,) = tmp_path.iterdir()
        page = open_page(opened[0])
        wait_for_item(page)

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "token" not in opened[0]
        assert page.url == screen.address
    assert list(tmp_path.iterdir()) == []


def test_a_link_on_another_page_opens_the_screen_of_who_is_in(
    screen: Screen, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(screen)
    wait_for_item(page)
    (tmp_path / "elsewhere.html").write_text(f'<a href="{screen.address}bulk">there</a>')
    page.goto((tmp_path / "elsewhere.html").as_uri())

    page.get_by_text("there").click()

    expect(page.get_by_role("link", name="In bulk")).to_have_attribute("aria-current", "page")
    assert page.url == screen.address + "bulk"
    stranger = open_page((tmp_path / "elsewhere.html").as_uri())
    stranger.get_by_text("there").click()
    expect(stranger.get_by_label("Your token")).to_be_visible()


def test_a_wrong_page_leads_back(screen: Screen, open_page: OpenPage) -> None:
    page = open_page(screen, "nowhere")

    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.keyboard.press("Enter")

    wait_for_item(page)
