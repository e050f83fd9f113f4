"""Many reviewers at once on the real server, over real HTTP, while it is killed now and then.

    python scripts/load_review.py --reviewers 50 --items 5000 --database sqlite --kills 0 --json

Every reviewer is a client of its own with a session of its own. It does what the page does: holds
sixteen items, sends each answer as it is made, keeps it until it is acknowledged, and sends it
again with the same key when the server is gone. At the end the database is compared with what the
clients were told: `lost` are answers that were acknowledged and are not there, `duplicates` are
items decided twice and answers stored twice. `p95_ms` is the time from sending an answer to its
acknowledgement, connection failures and their waits left out.

`--think` is how long a reviewer looks at an item, on average; 0 lets all send as fast as they can.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from hilt.errors import HiltError
from hilt.pipeline.reviewing.reviewers import add_reviewer
from hilt.pipeline.workspace.workspace import Workspace
from scripts.support.postgres_server import postgres_server
from scripts.support.rehearsal import LABELS, made_up_texts, rehearsal_workspace

HOLDING = 16
FETCH_BELOW = 10
FIRST_PAUSE_SECONDS = 0.5  # before an answer is sent again; as in the page
MAX_PAUSE_SECONDS = 5.0
PORT = 8699


@dataclass
class Server:
    """The server process of a workspace; may be killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and return once it answers."""
        command = ("review", str(self.folder), "--no-browser", "--port", str(self.port))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hilt.pipeline.cli", *command], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise SystemExit("The server did not start.")

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@dataclass
class Tally:
    """What the clients were told, and how long it took."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    retries: int = 0
    refused: list[str] = field(default_factory=list)


class Reviewer:
    """One client: holds items, answers them, and forgets an answer once it is acknowledged."""

    def __init__(self, name: str, token: str, address: str, tally: Tally, think: float) -> None:
        self.client = httpx.AsyncClient(base_url=address, timeout=10)
        self.token = token
        self.tally = tally
        self.think = think
        self.random = random.Random(name)
        self.held: list[int] = []

    async def work(self) -> None:
        """Sign in, and answer items until there are none."""
        await self.post("/login", data={"token": self.token})
        page = await self.client.get("/")
        found = re.search(r'name="csrf-token" content="(\w+)"', page.text)
        assert found is not None
        self.client.headers["X-CSRF-Token"] = found[1]
        await asyncio.sleep(self.random.random() * self.think)
        await self.fetch()
        while self.held:
            await asyncio.sleep(self.random.expovariate(1 / self.think) if self.think else 0)
            await self.answer(self.held.pop(0))
            if len(self.held) <= FETCH_BELOW:
                await self.fetch()
        await self.client.aclose()

    async def fetch(self) -> None:
        """Ask for items until there are as many as a page holds."""
        body = {"holding": self.held, "count": HOLDING}
        said = (await self.post("/api/items", json=body)).json()
        self.held = [*said["kept"], *(item["item"] for item in said["items"])]

    async def answer(self, item: int) -> None:
        """Send an answer until it is acknowledged."""
        key = secrets.token_hex(8)
        answer = {"key": key, "item": item, "act": "label", "seconds": 1.5}
        answer["value"] = [{"label": self.random.choice(LABELS)}]
        response = await self.post("/api/answers", json={"answers": [answer]})
        receipt = response.json()["receipts"][0]
        if receipt["refused"]:
            self.tally.refused.append(receipt["refused"])
        else:
            self.tally.acknowledged[key] = item
            self.tally.milliseconds.append(1000 * response.elapsed.total_seconds())

    async def post(self, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401
        """Send, again and again while the server is gone."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                response = await self.client.post(path, **content)
            except httpx.TransportError:
                self.tally.retries += 1
                await asyncio.sleep(pause * (0.5 + self.random.random() / 2))
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
                continue
            if response.status_code in (200, 303):
                return response
            raise SystemExit(f"{path}: {response.status_code} {response.text}")


async def kill_now_and_then(server: Server, tally: Tally, items: int, kills: int) -> None:
    """Kill the server whenever another share of the items is done, and start it again."""
    for number in range(1, kills + 1):
        while len(tally.acknowledged) < items * number / (kills + 1):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)


async def run(server: Server, tokens: dict[str, str], arguments: argparse.Namespace) -> Tally:
    """Let everybody work until nothing is left."""
    tally = Tally()
    everyone = [
        Reviewer(name, token, server.address, tally, arguments.think)
        for name, token in tokens.items()
    ]
    killing = kill_now_and_then(server, tally, arguments.items, arguments.kills)
    await asyncio.gather(killing, *(reviewer.work() for reviewer in everyone))
    return tally


def compare(workspace: Workspace, tally: Tally) -> dict[str, int]:
    """Compare what is stored with what was acknowledged."""
    rows = workspace.database.decisions()
    stored = Counter(row.key for row in rows)
    by_item = Counter(row.item_index for row in rows)
    return {
        "stored": len(rows),
        "lost": sum(key not in stored for key in tally.acknowledged),
        "duplicates": sum(count - 1 for count in (*stored.values(), *by_item.values())),
        "undecided": len(workspace.pool) - len(by_item),
    }


def database(kind: str) -> AbstractContextManager[str | None]:
    """Say where the state is to be kept."""
    return nullcontext() if kind == "sqlite" else postgres_server()


def measure(arguments: argparse.Namespace, folder: Path, url: str | None) -> dict[str, Any]:
    """Make a workspace, let everybody work in it, and say what it came to."""
    review = {"gold_share": 0, "blind_share": 0, "bulk_check": 0}
    texts = made_up_texts(arguments.items)
    workspace = rehearsal_workspace(folder, texts, review=review, database=url)
    names = [f"reviewer-{number:02d}" for number in range(arguments.reviewers)]
    tokens = {each: add_reviewer(workspace, each) for each in names}
    server = Server(workspace.folder, arguments.port)
    server.start()
    started = time.monotonic()
    try:
        tally = asyncio.run(run(server, tokens, arguments))
    finally:
        server.kill()
    seconds = time.monotonic() - started
    p50, p95 = np.percentile(tally.milliseconds, [50, 95])
    result = {
        **compare(workspace, tally),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "answers_per_second": round(len(tally.acknowledged) / seconds, 1),
        "retries": tally.retries,
        "refused": len(tally.refused),
        "seconds": round(seconds, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }
    workspace.database.close()
    return result


def main() -> None:
    """Run it, and say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kills", type=int, default=0, help="how often the server is killed")
    parser.add_argument("--think", type=float, default=0.5, help="seconds that an item takes")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as name, database(arguments.database) as url:
            result = measure(arguments, Path(name), url)
    except HiltError as error:
        raise SystemExit(str(error)) from None
    print(json.dumps(result, indent=1) if arguments.json else result)


if __name__ == "__main__":
    main()
