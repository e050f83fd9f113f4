"""The report in a real browser, wide and narrow, with words that do not end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import hilt
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

CHROMIUM = Path("/usr/bin/chromium")
URL = "https://example.org/" + "a1b2c3" * 500
LABELS = ("animals_and_all_that_lives_" + "and_lives" * 40, "food", "sport")
ID = "id-" + "0123456789" * 20
# A matrix of many labels may scroll inside the page; nothing else is wider than what holds it.
TOO_WIDE = """() => [...document.querySelectorAll("section *, header *, dl *, footer *")]
    .filter((each) => !each.closest("svg") && !each.closest(".matrix"))
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(
    make_workspace_in: Callable[..., Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A workspace of two cycles with everything in it that a report shows."""
    rows = [(ID, URL, "food"), ("wide", f"see {URL}x now", "sport")]
    workspace = make_workspace_in(
        tmp_path_factory.mktemp("wide"), labels=LABELS, extra=rows, student={"effort": "quick"}
    )
    propose(workspace)
    select(workspace, 62)
    batch = LoopState.read(workspace).batch(1)
    long = [item for item in batch.items if item.item_id in (ID, "wide")]
    others = [item for item in batch.items if item not in long][:20]  # more would train an encoder
    said = [
        Decision(item.item_id, "label", (LABELS[0],), "r" * 200, batch=1, comment="why?")
        for item in others[:3]
    ]
    record(workspace, [Decision(ID, "flag", (), "r" * 200, batch=1, comment=URL), *said])
    simulate(workspace, replace(batch, items=(*long, *others)))
    train(workspace)
    propose(workspace)
    return hilt.report(workspace)


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_page(browser: Browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(report.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(TOO_WIDE) == []
    page.close()
