"""New items appear while somebody labels, trained and selected in the background."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from hilt.pipeline.workspace.workspace import Workspace
from tests.conftest import LABELS
from tests.one_label import known_labels
from tests.review.screen.conftest import Screen, text_of, wait_for_item, wait_until_saved

REFILL = "review:\n  refill_below: 3\n  blind_share: 0.0\n"


@pytest.fixture
def live(small_workspace: Callable[[str], Workspace]) -> Iterator[Screen]:
    workspace = small_workspace("selected")
    with (workspace.folder / "hilt.yaml").open("a", encoding="utf-8") as file:
        file.write(REFILL)
    screen = Screen(workspace, arguments=("--live",))
    screen.start()
    yield screen
    screen.kill()
    workspace.database.close()


def test_more_items_appear_without_a_reload(live: Screen, open_page: Callable[..., Page]) -> None:
    pool = live.workspace.pool
    truth = dict(zip(pool.texts(slice(None)), known_labels(live.workspace).values(), strict=True))
    page = open_page(live)
    wait_for_item(page)

    for _ in range(12):
        before = text_of(page)
        page.keyboard.press(str(1 + LABELS.index(truth[before])))
        expect(page.locator("#text")).not_to_have_text(before)

    expect(page.locator("#item")).to_have_attribute("aria-busy", "false", timeout=120_000)
    wait_until_saved(page)
    assert live.workspace.database.open_batches() == [1, 2]
    assert len(live.workspace.database.trainings()) == 1
    asked = [row.item_index for row in live.workspace.database.batch_items()]
    assert len(set(asked)) == len(asked)
    page.keyboard.press("1")
    wait_until_saved(page)
    assert live.decisions[-1].batch == 2
