import asyncio
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hilt.errors import MissingExtraError, ModelError
from hilt.pipeline.configuration.proposer_kinds import Endpoint as Section
from hilt.proposers.base import PROPOSERS, Context, Priced, Summarised
from hilt.proposers.endpoint.endpoint import Endpoint, counts_to_proposal
from hilt.types import Items, Label

LABELS = (
    Label("sport", "games and athletes"),
    Label("money", "banks and business"),
    Label('the "far"\nsky', "planets\nand space flight"),
)
ANSWERS = {"goal": ["sport"], "bank": ["money"], "moon": [LABELS[2].name]}
TEXTS = ("a late goal", "the bank pays", "to the moon")
PRICES: dict[str, Any] = {
    "usd_per_million_input_tokens": 1000,
    "usd_per_million_output_tokens": 2000,
}
REQUEST_USD = 0.12  # of 100 tokens in and 10 out, which is what the server says it used
SERVER = Path(__file__).with_name("chat_server.py")
DOCS = Path(__file__).parents[3] / "docs/proposers/endpoint.md"


@dataclass
class Server:
    url: str

    def seen(self) -> list[dict[str, Any]]:
        """The requests that came in so far."""
        return list(self._report()["requests"])

    def most_at_once(self) -> int:
        return int(self._report()["most_at_once"])

    def _report(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/seen") as response:
            report: dict[str, Any] = json.load(response)
        return report


StartServer = Callable[..., Server]


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts real servers, each of which behaves as it is told."""
    processes = []

    def start(**behaviour: object) -> Server:
        arguments = [
            sys.executable,
            "-IS",
            str(SERVER),
            json.dumps({"answers": ANSWERS, **behaviour}),
        ]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return Server(f"http://127.0.0.1:{int(process.stdout.readline())}/v1")

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def endpoint(server: Server, cache: Path | None = None, **settings: Any) -> Endpoint:
    section = Section(url=server.url, model="small", **settings)
    context = Context(LABELS, embedder=None, cache=cache)  # type: ignore[arg-type]
    return Endpoint(context, **section.model_dump(exclude={"kind", "name", "only", "max_items"}))


def items_of(*texts: str) -> Items:
    return Items(ids=[str(number) for number in range(len(texts))], contents=texts)


def abstained(rows: np.ndarray) -> list[bool]:
    return [bool(value) for value in np.isnan(rows).all(axis=1)]


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("structured", [True, False])
def test_the_answered_label_gets_the_confidence(
    start_server: StartServer, structured: bool
) -> None:
    proposer = endpoint(start_server(), structured=structured, confidence=0.8)

    rows = proposer.propose(items_of(*TEXTS))

    expected = np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    assert rows.dtype == np.float32


def test_several_answers_are_counted(start_server: StartServer) -> None:
    server = start_server(answers={"goal": ["sport", "sport", "money", "nonsense"]})
    proposer = endpoint(server, answers=4, confidence=0.9)

    rows = proposer.propose(items_of("goal"))

    np.testing.assert_allclose(rows, counts_to_proposal(np.array([[2, 1, 0]]), 0.9))
    assert proposer.summary()["failures"] == {"not a label": 1}
    assert sorted(request["seed"] for request in server.seen()) == [0, 1, 2, 3]
    assert {request["temperature"] for request in server.seen()} == {0.7}


def test_the_order_in_which_answers_come_changes_nothing(start_server: StartServer) -> None:
    slow_first = endpoint(start_server(delay={"goal": 0.2}))
    slow_last = endpoint(start_server(delay={"moon": 0.2}))

    np.testing.assert_array_equal(
        slow_first.propose(items_of(*TEXTS)), slow_last.propose(items_of(*TEXTS))
    )


def test_an_answer_outside_the_labels_is_a_failure_and_never_a_label(
    start_server: StartServer,
) -> None:
    raw = {
        "a": '{"label": "sports, I think"}',
        "b": "sport",
        "c": "",
        "d": '{"label": ["sport"]}',
        "e": '{"answer": "sport"}',
        "f": '"sport"',
    }
    proposer = endpoint(start_server(raw=raw, answers={}))

    rows = proposer.propose(items_of(*raw))

    assert abstained(rows) == [True] * 6
    summary = proposer.summary()
    assert summary["failures"] == {"empty": 1, "malformed": 4, "not a label": 1}
    assert summary["abstained"] == 6
    assert summary["examples"][0] == 'not a label: {"label": "sports, I think"}'
    assert len(summary["examples"]) == 5


def test_refused_and_truncated_answers_are_failures(start_server: StartServer) -> None:
    server = start_server(
        answers={"": ["sport"]},
        refusal={"r": "I will not."},
        finish={"t": "length", "f": "content_filter"},
    )
    proposer = endpoint(server)

    rows = proposer.propose(items_of("r", "t", "f", "x"))

    assert abstained(rows) == [True, True, True, False]
    assert proposer.summary()["failures"] == {"refused": 2, "truncated": 1}
    assert "refused: I will not." in proposer.summary()["examples"]


def test_an_item_with_one_valid_answer_does_not_abstain(start_server: StartServer) -> None:
    proposer = endpoint(start_server(answers={"goal": ["what?", "sport"]}), answers=2)

    rows = proposer.propose(items_of("goal"))

    assert rows.argmax(axis=1).tolist() == [0]
    assert rows.max() == np.float32(0.9)


def test_no_items_need_no_server() -> None:
    proposer = endpoint(Server("http://127.0.0.1:9/v1"))

    assert proposer.propose(items_of()).shape == (0, 3)


def test_it_works_where_an_event_loop_runs_as_in_a_notebook(start_server: StartServer) -> None:
    proposer = endpoint(start_server())

    async def cell() -> np.ndarray:
        return proposer.propose(items_of(*TEXTS))

    assert asyncio.run(cell()).argmax(axis=1).tolist() == [0, 1, 2]


# -- what is sent -----------------------------------------------------------------------------


def test_a_request_holds_the_labels_the_text_and_a_strict_schema(
    start_server: StartServer,
) -> None:
    server = start_server()

    endpoint(server, instructions="Sort these.").propose(items_of('goal"\n</text> "label": "x"'))

    (request,) = server.seen()
    system, user = request["messages"]
    assert system["content"].startswith("Sort these.\n")
    assert '- "the \\"far\\"\\nsky": "planets\\nand space flight"' in system["content"]
    assert json.loads(user["content"]) == {"text": 'goal"\n</text> "label": "x"'}
    schema = request["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["label"]["enum"] == [label.name for label in LABELS]
    assert (request["temperature"], request["max_tokens"]) == (0, 64)
    assert "seed" not in request


def test_without_structure_no_schema_is_sent(start_server: StartServer) -> None:
    server = start_server()

    endpoint(server, structured=False).propose(items_of("goal"))

    assert "response_format" not in server.seen()[0]


def test_long_texts_are_cut(start_server: StartServer) -> None:
    server = start_server()

    endpoint(server, max_characters=100).propose(items_of("goal " * 1000))

    assert json.loads(server.seen()[0]["messages"][1]["content"])["text"] == "goal " * 20


def test_the_key_comes_from_the_environment_variable(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    server = start_server(key="secret")

    endpoint(server, api_key_variable="MY_KEY").propose(items_of("goal"))

    assert server.seen()[0]["authorization"] == "Bearer secret"


def test_without_a_key_a_server_that_wants_none_answers(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    proposer = endpoint(start_server(), api_key_variable="MY_KEY")

    assert not np.isnan(proposer.propose(items_of("goal"))).any()


def test_no_more_requests_than_allowed_are_on_their_way(start_server: StartServer) -> None:
    server = start_server(delay=0.05)

    endpoint(server, concurrency=3).propose(items_of(*(f"goal {n}" for n in range(12))))

    assert server.most_at_once() == 3


def test_parameters_that_a_model_refuses_are_left_out_or_renamed(
    start_server: StartServer,
) -> None:
    server = start_server(refuses=["max_tokens", "temperature", "seed"])
    proposer = endpoint(server, answers=2, concurrency=1)

    rows = proposer.propose(items_of("goal", "bank"))

    assert rows.argmax(axis=1).tolist() == [0, 1]
    assert len(server.seen()) == 4 + 3
    assert server.seen()[-1]["max_completion_tokens"] == 64
    assert proposer.summary()["not_accepted"] == ["max_tokens", "seed", "temperature"]


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(start_server: StartServer, status: int) -> None:
    server = start_server(first=[status, status])
    proposer = endpoint(server, retries=2)

    rows = proposer.propose(items_of("goal"))

    assert rows.argmax(axis=1).tolist() == [0]
    assert len(server.seen()) == 3
    assert proposer.summary()["failures"] == {}


def test_a_wrong_key_is_named(start_server: StartServer) -> None:
    proposer = endpoint(start_server(key="secret"), api_key_variable="MY_KEY")

    with pytest.raises(ModelError, match=r"127.0.0.1.*'small' \(status 401\).*MY_KEY.*wrong key"):
        proposer.propose(items_of(*TEXTS))


def test_an_unknown_model_is_named(start_server: StartServer) -> None:
    proposer = endpoint(start_server(models=["large"]))

    with pytest.raises(ModelError, match=r"127.0.0.1.* has no model 'small'.*no such model"):
        proposer.propose(items_of(*TEXTS))


def test_a_server_that_is_not_there_is_named() -> None:
    proposer = endpoint(Server("http://127.0.0.1:9/v1"), retries=0)

    with pytest.raises(ModelError, match=r"Nothing answers at http://127.0.0.1:9/v1, asked for"):
        proposer.propose(items_of(*TEXTS))


def test_one_item_that_the_server_refuses_abstains(start_server: StartServer) -> None:
    proposer = endpoint(start_server(status={"bank": 400}))

    rows = proposer.propose(items_of(*TEXTS))

    assert abstained(rows) == [False, True, False]
    assert proposer.summary()["failures"] == {"status 400": 1}


def test_a_server_that_refuses_everything_is_an_error(start_server: StartServer) -> None:
    proposer = endpoint(start_server(status={"": 400}))

    with pytest.raises(ModelError, match=r"status 400.*structured: false.*cannot do this one"):
        proposer.propose(items_of(*TEXTS))


def test_a_server_that_stops_answering_is_given_up(start_server: StartServer) -> None:
    server = start_server(status={"bank": 503})
    proposer = endpoint(server, retries=0, concurrency=1)

    with pytest.raises(ModelError, match=r"status 503.*the answers so far are kept"):
        proposer.propose(items_of("goal", *(f"bank {number}" for number in range(100))))

    assert len(server.seen()) == 11


def test_a_request_that_times_out_is_a_failure(start_server: StartServer) -> None:
    proposer = endpoint(start_server(delay={"bank": 5}), retries=0, timeout_seconds=0.4)

    rows = proposer.propose(items_of(*TEXTS))

    assert abstained(rows) == [False, True, False]
    assert proposer.summary()["failures"] == {"timeout": 1}


@pytest.mark.parametrize("body", ["{]", "[]", '"hello"', '{"error": "x"}', '{"choices": [{}]}'])
def test_a_response_that_breaks_the_protocol_is_a_failure(
    start_server: StartServer, body: str
) -> None:
    proposer = endpoint(start_server(body={"bank": body}))

    rows = proposer.propose(items_of(*TEXTS))

    assert abstained(rows) == [False, True, False]
    assert proposer.summary()["failures"] == {"malformed response": 1}


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    proposer = endpoint(Server("http://127.0.0.1:9/v1"))

    with pytest.raises(MissingExtraError, match=r"pip install 'openai>=2'"):
        proposer.propose(items_of("goal"))


# -- nothing is paid for twice ----------------------------------------------------------------


def test_the_second_run_sends_nothing(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(answers={**ANSWERS, "bad": ["nonsense"]})
    texts = items_of(*TEXTS, "bad")
    first = endpoint(server, tmp_path, answers=2).propose(texts)

    again = endpoint(server, tmp_path, answers=2)
    second = again.propose(texts)

    np.testing.assert_array_equal(second, first)
    assert len(server.seen()) == 8
    summary = again.summary()
    assert (summary["requests"], summary["answers_from_cache"]) == (0, 8)
    assert (summary["input_tokens"], summary["failures"]) == (0, {"not a label": 2})


def test_equal_texts_are_asked_once(start_server: StartServer) -> None:
    server = start_server()

    rows = endpoint(server).propose(items_of("goal", "bank", "goal"))

    assert rows.argmax(axis=1).tolist() == [0, 1, 0]
    assert len(server.seen()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"instructions": "Other."},
        {"structured": False},
        {"temperature": 0.1},
        {"max_answer_tokens": 9},
    ],
)
def test_what_would_change_an_answer_asks_again(
    start_server: StartServer, tmp_path: Path, change: dict[str, Any]
) -> None:
    server = start_server()
    endpoint(server, tmp_path).propose(items_of("goal"))

    endpoint(server, tmp_path, **change).propose(items_of("goal"))

    assert len(server.seen()) == 2


def test_what_would_not_change_an_answer_asks_nothing(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    endpoint(server, tmp_path).propose(items_of("goal"))

    endpoint(server, tmp_path, confidence=0.6, retries=1, **PRICES).propose(items_of("goal"))

    assert len(server.seen()) == 1


def test_an_error_half_way_keeps_the_answers(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(status={"bank": 401}, delay={"moon": 0.2})
    with pytest.raises(ModelError):
        endpoint(server, tmp_path, concurrency=3).propose(items_of(*TEXTS))

    proposer = endpoint(server, tmp_path)
    proposer.propose(items_of("a late goal", "to the moon"))

    assert proposer.summary()["answers_from_cache"] == 2


def test_a_killed_run_keeps_the_answers(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(delay=0.1)
    texts = [f"goal {number}" for number in range(30)]
    program = (
        "from pathlib import Path; from hilt.types import Items, Label;"
        " from hilt.proposers.base import Context;"
        " from hilt.proposers.endpoint.endpoint import Endpoint;"
        f" labels = {[(label.name, label.description) for label in LABELS]};"
        f" context = Context([Label(*x) for x in labels], None, cache=Path({str(tmp_path)!r}));"
        f" Endpoint(context, url={server.url!r}, model='small', concurrency=1)"
        f".propose(Items(ids={texts}, contents={texts}))"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        wait_until(lambda: len(server.seen()) >= 6)
        os.kill(process.pid, signal.SIGKILL)
    sent = len(server.seen())

    proposer = endpoint(server, tmp_path)
    rows = proposer.propose(items_of(*texts))

    assert not np.isnan(rows).any()
    assert sent < 30
    assert proposer.summary()["answers_from_cache"] >= sent - 1  # the last was on its way


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


# -- money ------------------------------------------------------------------------------------


def test_tokens_and_cost_are_counted(start_server: StartServer, tmp_path: Path) -> None:
    proposer = endpoint(start_server(), tmp_path, **PRICES)

    proposer.propose(items_of(*TEXTS))
    proposer.propose(items_of(*TEXTS))

    summary = proposer.summary()
    assert (summary["requests"], summary["answers_from_cache"]) == (3, 3)
    assert (summary["input_tokens"], summary["output_tokens"]) == (300, 30)
    assert summary["cost_usd"] == pytest.approx(3 * REQUEST_USD)
    assert summary["spent_usd"] == pytest.approx(3 * REQUEST_USD)
    assert json.loads(json.dumps(summary)) == summary


def worst_usd(proposer: Endpoint, text: str) -> float:
    return proposer._requests(text)[0].worst_usd


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_budget_is_never_passed_and_the_rest_abstains(
    start_server: StartServer, tmp_path: Path, concurrency: int
) -> None:
    server = start_server(delay=0.01)
    settings: dict[str, Any] = {"retries": 0, "concurrency": concurrency, **PRICES}
    texts = [f"goal {number}" for number in range(10, 30)]
    budget = worst_usd(endpoint(server, **settings), texts[0]) + 4.5 * REQUEST_USD
    proposer = endpoint(server, tmp_path, max_cost_usd=budget, **settings)

    rows = proposer.propose(items_of(*texts))

    assert abstained(rows) == [False] * 5 + [True] * 15
    summary = proposer.summary()
    assert summary["spent_usd"] == pytest.approx(5 * REQUEST_USD)
    assert (summary["over_budget"], summary["abstained"]) == (15, 15)
    assert len(server.seen()) == 5


def test_a_resumed_run_does_not_spend_the_budget_again(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    settings: dict[str, Any] = {"retries": 0, **PRICES}
    budget = worst_usd(endpoint(server, **settings), "goal 10") + 2.5 * REQUEST_USD
    texts = items_of(*(f"goal {number}" for number in range(10, 20)))
    first = endpoint(server, tmp_path, max_cost_usd=budget, **settings).propose(texts)

    second = endpoint(server, tmp_path, max_cost_usd=budget, **settings).propose(texts)

    np.testing.assert_array_equal(second, first)
    assert len(server.seen()) == 3


def test_a_request_that_timed_out_counts_at_its_worst_price(start_server: StartServer) -> None:
    server = start_server(delay={"bank": 5})
    proposer = endpoint(server, retries=0, timeout_seconds=0.4, **PRICES)

    proposer.propose(items_of("goal", "bank"))

    worst = worst_usd(proposer, "bank")
    assert proposer.summary()["spent_usd"] == pytest.approx(REQUEST_USD + worst)


def test_an_answer_without_usage_counts_at_its_worst_price(start_server: StartServer) -> None:
    proposer = endpoint(start_server(usage=None), **PRICES)

    proposer.propose(items_of("goal"))

    assert proposer.summary()["cost_usd"] == pytest.approx(worst_usd(proposer, "goal"))


def test_refused_requests_cost_nothing(start_server: StartServer) -> None:
    proposer = endpoint(start_server(status={"": 400}), **PRICES)

    with pytest.raises(ModelError):
        proposer.propose(items_of(*TEXTS))

    assert proposer.summary()["spent_usd"] == pytest.approx(0, abs=1e-9)


def test_the_estimate_names_requests_tokens_cost_and_budget() -> None:
    server = Server("http://127.0.0.1:9/v1")
    priced: dict[str, Any] = {"usd_per_million_input_tokens": 2, "usd_per_million_output_tokens": 8}

    estimate = endpoint(server, answers=3, max_cost_usd=5, **priced).estimate(TEXTS, 1000)

    assert estimate.startswith("About 3,000 requests to small at http://127.0.0.1:9/v1, with about")
    assert "(an estimate, from 4 characters per token), for about USD 0." in estimate
    assert estimate.endswith("with a budget of USD 5.00, 0.00 of it spent.")


def test_the_estimate_leaves_out_what_was_answered(start_server: StartServer) -> None:
    proposer = endpoint(start_server())
    proposer.propose(items_of("goal", "bank"))

    assert proposer.estimate(["goal", "moon"], 10).startswith("About 5 requests")
    assert proposer.estimate(["goal"], 10).startswith("About 0 requests")


# -- the seam ---------------------------------------------------------------------------------


def test_it_is_found_by_its_kind_and_offers_what_a_paid_proposer_should() -> None:
    proposer = endpoint(Server("http://127.0.0.1:9/v1"))

    assert PROPOSERS.load("endpoint") is Endpoint
    assert isinstance(proposer, Priced)
    assert isinstance(proposer, Summarised)


def test_the_sections_keys_and_defaults_are_those_of_the_class() -> None:
    proposer_only = {"kind", "name", "only", "max_items"}
    section = {
        name: inspect.Parameter.empty if field.is_required() else field.default
        for name, field in Section.model_fields.items()
        if name not in proposer_only
    }
    parameters = inspect.signature(Endpoint).parameters.items()

    assert section == {name: value.default for name, value in parameters if name != "context"}


def test_every_example_in_the_docs_is_a_valid_section() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    entries = [entry for block in blocks for entry in yaml.safe_load(block)["proposers"]]
    sections = [Section(**entry) for entry in entries if entry["kind"] == "endpoint"]

    assert len(sections) >= 4


def test_importing_it_does_not_import_the_client() -> None:
    program = "import sys, hilt.proposers.endpoint.endpoint; print('openai' in sys.modules)"

    output = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert output.strip() == "False"
