"""What the screen says comes next is what the terminal says, and is never refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.desk.ahead import in_words
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.next_steps import NextStep, Situation, decide, next_step
from hilt.pipeline.reviewing.reviewers import add_reviewer
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.screen.protocol import Next, ReviewProgress
from hilt.types import Decision
from tests.pipeline.reviewing.desk.conftest import Rehearse, at_desk, person, says

Open = Callable[[str], Workspace]
NOTHING_GIVEN = "Everything is decided, but no person gave a label, and a student needs some."


def skip_all(workspace: Workspace, first: int) -> None:
    ids = workspace.pool.ids(slice(first))
    record(workspace, [Decision(each, "skip", (), "reviewer") for each in ids])


def next_on_screen(workspace: Workspace, name: str = "reviewer") -> Next | None:
    found: list[Next | None] = []

    async def work(desk: WorkspaceDesk) -> None:
        found.append((await desk.summary(person(desk, name))).next)

    at_desk(workspace, work)
    return found[0]


async def until_done(desk: WorkspaceDesk) -> ReviewProgress:
    standing = desk.standing(person(desk, "reviewer"))
    while standing.busy:
        await asyncio.sleep(0.05)
        standing = desk.standing(person(desk, "reviewer"))
    return standing


def test_once_all_is_decided_no_batch_is_promised_and_there_is_no_button(
    rehearse: Rehearse,
) -> None:
    workspace = rehearse(6, people=(), ready=True)
    skip_all(workspace, 6)

    shown = next_on_screen(workspace)

    command = f"hilt report {workspace.folder}"
    assert shown == Next(NOTHING_GIVEN, command, "comes next.", button="", makes_batch=False)


def test_the_last_labels_are_learnt_without_a_promise(rehearse: Rehearse) -> None:
    workspace = rehearse(6, people=(), ready=True)
    record(workspace, [Decision(f"i{n}", "label", ("tech",), "reviewer") for n in range(6)])

    shown = next_on_screen(workspace)

    assert shown is not None
    assert shown.command == f"hilt cycle {workspace.folder}"
    assert (shown.button, shown.makes_batch) == ("Train on them now", False)


def test_a_first_batch_of_skips_leads_to_another(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    items = workspace.database.batch_items()
    record(workspace, [Decision(row.item_id, "skip", (), "reviewer") for row in items])

    shown = next_on_screen(workspace)

    assert shown is not None
    step = next_step(LoopState.read(workspace))
    assert shown.command == str(step) == f"hilt select {workspace.folder}"
    assert (shown.button, shown.makes_batch) == ("Make the next batch", True)


def test_what_fails_is_said_and_can_be_tried_again(small_workspace: Open) -> None:
    workspace = small_workspace("ready")
    (workspace.folder / "hilt.yaml").write_text("pool: 3\n", "utf-8")

    async def work(desk: WorkspaceDesk) -> None:
        desk.begin_next()
        assert (await until_done(desk)).refill.startswith("It failed. ")
        shown = (await desk.summary(person(desk, "reviewer"))).next
        assert shown is not None
        assert shown.button == "Do that now"

    at_desk(workspace, work)


def test_while_others_are_at_work_more_is_offered_only_where_there_is_more(
    rehearse: Rehearse,
) -> None:
    workspace = rehearse(12, ready=True)
    add_reviewer(workspace, "dana", adjudicator=True)

    async def work(desk: WorkspaceDesk) -> None:
        dana = person(desk, "dana")
        await desk.serve(dana, [], 12)
        await desk.record(dana, [says(0, by="dana")])
        assert (await desk.summary(dana)).next is None  # the pool is in people's hands

    at_desk(workspace, work)


def test_beside_open_items_the_batch_is_extended(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    first = workspace.database.batch_items()[0].item_id
    record(workspace, [Decision(first, "label", (workspace.config.label_names[0],), "reviewer")])

    shown = next_on_screen(workspace)

    assert shown is not None
    assert shown.command == f"hilt cycle {workspace.folder} --extend"
    assert shown.makes_batch


def test_who_does_not_decide_it_is_told_how_it_stands_and_no_more(rehearse: Rehearse) -> None:
    workspace = rehearse(6, people=("ann",), ready=True)
    skip_all(workspace, 6)

    assert next_on_screen(workspace, "ann") == Next(NOTHING_GIVEN)


@pytest.mark.parametrize("proposed", [True, False])
@pytest.mark.parametrize("labels", [0, 9])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize("disputed", [0, 2])
@pytest.mark.parametrize("outdated", ["", "The rule has changed."])
def test_a_batch_is_promised_where_one_is_made_and_a_finished_step_has_no_button(
    proposed: bool,
    labels: int,
    left: bool,
    learnt: bool,
    disputed: int,
    outdated: str,
) -> None:
    now = Situation(proposed, 0, labels, left, learnt, disputed, outdated=outdated)
    step: NextStep = decide(Path("work"), now)

    shown = in_words(step)

    assert shown.makes_batch == (proposed and left and not outdated)
    assert bool(shown.button) == (not step.finished)
    assert shown.why.startswith(step.why)
    assert ("next batch" in shown.does + shown.button) == shown.makes_batch
