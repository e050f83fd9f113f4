"""Servers that send anything, over real HTTP: what is no answer abstains, and costs are safe."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hilt.errors import ConfigError, ModelError, WorkspaceError
from hilt.pipeline.configuration.proposer_kinds import Endpoint as Section
from hilt.proposers.base import Context
from hilt.proposers.endpoint import bounded_client
from hilt.proposers.endpoint.endpoint import Endpoint
from hilt.proposers.endpoint.paid_answers import FILE, PaidAnswers, Reply
from hilt.types import Items, Label

LABELS = (Label("a", "cats"), Label("7", "dogs"))
ITEMS = Items(["1"], ["a text"])
Behave = Callable[[BaseHTTPRequestHandler], None]
Serve = Callable[[Behave], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that do to every request what they are told; gives their addresses."""
    servers: list[ThreadingHTTPServer] = []

    def start(behave: Behave) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                with suppress(ConnectionError):
                    behave(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def endpoint(url: str, cache: Path | None = None, **settings: Any) -> Endpoint:
    section = Section(url=url, model="m", **{"retries": 0, "timeout_seconds": 0.5, **settings})
    context = Context(LABELS, embedder=None, cache=cache)  # type: ignore[arg-type]
    return Endpoint(context, **section.model_dump(exclude={"kind", "name", "only", "max_items"}))


def sends(body: object, *, status: int = 200) -> Behave:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return behave


def trickles(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def never_ends(handler: BaseHTTPRequestHandler, status: int = 200) -> None:
    handler.send_response(status)
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(b'{"x": "' + b"a" * 100_000)


def completion(content: object, **changes: object) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": content}}
    usage = {"prompt_tokens": 10, "completion_tokens": 3}
    return {"choices": [choice], "usage": usage, **changes}


GOOD = '{"label": "a"}'
NO_ANSWERS = {
    "nothing": b"",
    "half": b'{"choices": [',
    "a page": b"<html>welcome</html>",
    "bytes": bytes(range(256)),
    "a list": [],
    "a number": 5,
    "null": None,
    "nested": b"[" * 100_000,
    "nested within": b'{"choices": ' + b'{"a": ' * 50_000,
    "a long number": b'{"choices": ' + b"9" * 5000 + b"}",
    "choices null": completion(GOOD, choices=None),
    "choices a number": completion(GOOD, choices=5),
    "choices a text": completion(GOOD, choices="a"),
    "choices empty": completion(GOOD, choices=[]),
    "a choice null": completion(GOOD, choices=[None]),
    "a choice a list": completion(GOOD, choices=[["a"]]),
    "no message": completion(GOOD, choices=[{"index": 0}]),
    "a message null": completion(GOOD, choices=[{"message": None}]),
    "a message a text": completion(GOOD, choices=[{"message": "a"}]),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_what_is_no_completion_is_an_error_with_the_address(serve: Serve, what: str) -> None:
    url = serve(sends(NO_ANSWERS[what]))

    with pytest.raises(ModelError, match=f"^{url} did not answer .* \\(malformed response\\)"):
        endpoint(url).propose(ITEMS)


@pytest.mark.parametrize("structured", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        True,
        7,
        {"label": "a"},
        [{"type": "text", "text": "a"}],
        "\ud800",
        '{"label": "\ud800"}',
        '{"label": ["a"]}',
        '{"label": null}',
        '{"label": "a", "label": "7"}',
        "[" * 100_000,
        "\x1b]0;owned\x07",
    ],
    ids=lambda content: repr(content)[:20],
)
def test_words_that_are_no_label_abstain(serve: Serve, content: object, structured: bool) -> None:
    proposer = endpoint(serve(sends(completion(content))), structured=structured)

    assert np.isnan(proposer.propose(ITEMS)).all()
    assert sum(proposer.summary()["failures"].values()) == 1


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [1],
        "many",
        {"prompt_tokens": "ten", "completion_tokens": "three"},
        {"prompt_tokens": -(10**9), "completion_tokens": -(10**9)},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": 1.5, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": None, "completion_tokens": {}},
    ],
    ids=repr,
)
def test_usage_that_cannot_be_counts_at_the_worst_price(serve: Serve, usage: object) -> None:
    url = serve(sends(completion(GOOD, usage=usage)))
    proposer = endpoint(url, usd_per_million_input_tokens=1000, max_cost_usd=5)
    (request,) = proposer._requests("a text")

    assert not np.isnan(proposer.propose(ITEMS)).any()
    assert proposer.summary()["cost_usd"] == pytest.approx(request.worst_usd)
    assert proposer.summary()["spent_usd"] == pytest.approx(request.worst_usd)


def test_a_server_that_trickles_meets_the_deadline(serve: Serve) -> None:
    url, begun = serve(trickles), time.monotonic()

    with pytest.raises(ModelError, match=f"{url} did not answer .* within 0.5 seconds"):
        endpoint(url).propose(ITEMS)

    assert time.monotonic() - begun < 4


def test_a_password_in_the_address_is_in_no_message(serve: Serve) -> None:
    url = serve(sends(b"")).replace("127", "me:s3cret@127")

    with pytest.raises(ModelError) as caught:
        endpoint(url).propose(ITEMS)

    assert str(caught.value).startswith(url.replace("me:s3cret@", ""))
    assert "s3cret" not in endpoint(url).estimate(["a text"], 1)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_without_an_end_is_not_read_for_ever(
    serve: Serve, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_client, "MAX_BYTES", 1 << 20)
    url = serve(lambda handler: never_ends(handler, status))

    with pytest.raises(ModelError, match=rf"{url} did not answer .*\(answer without an end\)"):
        endpoint(url, timeout_seconds=30).propose(ITEMS)


@pytest.mark.parametrize("message", [["a"], {"a": 1}, 5, "x" * 100_000, "\x1b[2J", None])
def test_whatever_a_server_says_of_an_error_the_sentence_is_short(
    serve: Serve, message: object
) -> None:
    url = serve(sends({"error": {"message": message}}, status=403))

    with pytest.raises(ModelError, match=f"{url} did not answer .*status 403") as caught:
        endpoint(url).propose(ITEMS)

    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("key", ["sk-secret\nX-Evil: 1", "sk-schlüssel", "sk\x00", "sk\x7f"])
def test_a_key_that_can_be_none_is_named_by_its_variable_and_never_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"MY_KEY": key})

    with pytest.raises(ConfigError, match="environment variable MY_KEY contains") as caught:
        endpoint("http://127.0.0.1:9/v1", api_key_variable="MY_KEY").propose(ITEMS)

    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "my server",
        "127.0.0.1:9/v1",
        "ftp://127.0.0.1/v1",
        "http://",
        "http://:80/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:-1/v1",
        "http://127.0.0.1:port/v1",
        "http://127.0.0.1:0/v1",
        "http://[::1/v1",
        "http://127.0.0.1:9/v1\r\nX: y",
        "http://127.0.0.1:9/v1\n",
        "http://127.0.0.1:9/v 1",
        "http://127.0.0.1:9/\x1b[2J",
    ],
)
def test_an_address_that_can_be_none_is_refused_with_the_configuration(url: str) -> None:
    with pytest.raises(ValidationError, match="it must be the address of a server"):
        Section(url=url, model="m")


def damaged(folder: Path, damage: str) -> PaidAnswers:
    """Keep an answer, and spoil the file."""
    answers = PaidAnswers(folder)
    answers.reserve("key", "account", 1)
    answers.settle("key", 0, Reply("a", "stop", 1, 1))
    answers._database.close()
    file = folder / FILE
    if damage.startswith("UPDATE"):
        with sqlite3.connect(file) as database:
            database.execute(damage)
        database.close()
        return PaidAnswers(folder)
    for path in folder.iterdir():
        path.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage == "file for a folder":
        folder.rmdir()
        folder.write_text("x")
    else:
        file.write_bytes(bytes(range(256)) * 40)
    return PaidAnswers(folder)


@pytest.mark.parametrize(
    "damage",
    [
        "noise",
        "folder",
        "file for a folder",
        "UPDATE answers SET content = x'ff'",
        "UPDATE answers SET content = CAST(x'ff' AS TEXT)",
        "UPDATE answers SET content = NULL",
        "UPDATE answers SET finish = 'perhaps'",
        "UPDATE answers SET input_tokens = 'ten'",
    ],
)
def test_damaged_answers_are_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    answers = damaged(tmp_path / "answers", damage)

    with pytest.raises(WorkspaceError, match=rf"{FILE}, which cannot be used .* move it away"):
        answers.get("key")


@pytest.mark.parametrize("cost", ["-5", "9e999", "-9e999"])
def test_damaged_costs_are_no_budget(tmp_path: Path, cost: str) -> None:
    answers = damaged(tmp_path / "answers", f"UPDATE answers SET cost_usd = {cost}")

    with pytest.raises(WorkspaceError, match="the amount spent adds up to"):
        answers.spent("account")
