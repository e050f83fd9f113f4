"""A real server process, a real database and a real browser, each started once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from scripts.support.rehearsal import rehearsal_workspace
from tests.forks import Forked, fork

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)

MAIN = "from hilt.pipeline.cli import main\nmain()\n"


@dataclass
class Screen:
    """A workspace with a server of its own.

    Attributes:
        opening: The address that the command prints, with the token that lets in.
        address: The same without it.
    """

    workspace: Workspace
    opening: str = ""
    address: str = ""
    arguments: tuple[str, ...] = ()
    port: int = 0
    process: Forked | None = field(default=None, repr=False)

    def start(self) -> None:
        command = ("review", str(self.workspace.folder), "--no-browser", "--json")
        self.process = fork(MAIN, *command, "--port", self.port, *self.arguments)
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, f"the server did not start: {said}"
            said += line
        self.opening = json.loads(said)["address"]
        self.address = self.opening.partition("?")[0]
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    def kill(self) -> None:
        assert self.process is not None
        self.process.end()

    @property
    def decisions(self) -> list[DecisionRow]:
        return self.workspace.database.decisions()

    @property
    def item_labels(self) -> dict[int, ItemLabel]:
        return {outcome.index: outcome for outcome in LoopState.read(self.workspace).resolved}


MakeScreen = Callable[..., Screen]


@pytest.fixture(scope="module")
def make_screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeScreen]:
    """Makes a workspace of texts, and serves it until the module ends."""
    screens: list[Screen] = []

    def make(texts: list[str], *, arguments: tuple[str, ...] = (), **settings: Any) -> Screen:
        folder = tmp_path_factory.mktemp("screen")
        screen = Screen(rehearsal_workspace(folder, texts, **settings), arguments=arguments)
        screens.append(screen)
        screen.start()
        return screen

    yield make
    for screen in screens:
        screen.kill()
        screen.workspace.database.close()


@pytest.fixture(scope="module")  # while it is open no other test can run an event loop
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser context of its own; an error in its console fails the test.

    For a screen the browser is let in first, by the address that the command printed.
    """
    contexts = []
    errors: list[str] = []

    @contextmanager
    def no_errors() -> Iterator[None]:
        yield
        assert errors == []

    def open_(where: Screen | str, path: str = "", **settings: Any) -> Page:
        context = browser.new_context(**settings)
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(where if isinstance(where, str) else where.opening)
        if path and not isinstance(where, str):
            page.goto(where.address + path)
        return page

    with no_errors():
        yield open_
    for context in contexts:
        context.close()


def text_of(page: Page) -> str:
    return page.locator("#text").inner_text()


def wait_for_item(page: Page) -> None:
    expect(page.locator("#item")).to_have_attribute("aria-busy", "false")


def wait_until_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_attribute("data-waiting", "0", timeout=15_000)


def violations(page: Page) -> list[str]:
    """List what axe finds."""
    found = Axe().run(page).response["violations"]
    return [f"{each['impact']}: {each['id']}: {each['nodes'][0]['html']}" for each in found]
