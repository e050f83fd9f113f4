"""Selecting: the audit slice, what is asked, and what is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hilt.errors import ConfigError, WorkspaceError
from hilt.pipeline.cycle import cycle
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

Open = Callable[[str], Workspace]


def test_an_open_batch_comes_back_unchanged(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")

    assert select(workspace) == select(workspace)
    assert workspace.database.batch_numbers() == [1]


def test_a_new_batch_can_be_asked_for_while_one_is_open(small_workspace: Open) -> None:
    workspace = small_workspace("selected")

    assert select(workspace, new=True).number == 2


def test_the_same_seed_selects_the_same_batch(
    small_workspace: Open, new_workspace: Callable[..., Workspace]
) -> None:
    from hilt.pipeline.proposing.propose import propose

    fresh = new_workspace()
    propose(fresh)

    assert select(fresh) == select(small_workspace("proposed"))


def test_every_batch_keeps_its_share_of_blind_audit_items(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")
    rows = workspace.database.batch_items()

    audited = [row for row in rows if row.reason == "audit"]
    assert len(audited) == round(0.25 * len(rows))
    assert all(row.blind for row in audited)
    assert not any(row.blind for row in rows if row.reason != "audit")


def test_audit_items_are_drawn_alike_whatever_the_selector_does(small_workspace: Open) -> None:
    by_hybrid = small_workspace("proposed")
    config = by_hybrid.config.model_validate(
        {**by_hybrid.config.model_dump(exclude_unset=True), "selector": {"kind": "random"}}
    )
    by_chance = Workspace(by_hybrid.folder, config, "cpu")

    first = {i.index for i in select(by_hybrid).items if i.blind}
    second = {i.index for i in select(by_chance, new=True).items if i.blind}

    assert first == second


def test_the_audit_slice_is_uniform_over_the_pool(new_workspace: Callable[..., Workspace]) -> None:
    from hilt.pipeline.proposing.propose import propose

    workspace = new_workspace(audit=1.0)
    propose(workspace)
    drawn = np.zeros(len(workspace.pool))
    for seed in range(60):
        config = workspace.config.model_copy(update={"seed": seed})
        batch = select(Workspace(workspace.folder, config, "cpu"), 12, new=True)
        drawn[[item.index for item in batch.items]] += 1

    expected = 60 * 12 / len(workspace.pool)
    assert abs(drawn - expected).max() < 5 * np.sqrt(expected)


def test_no_item_is_asked_twice(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")
    rows = [row.item_index for row in workspace.database.batch_items()]

    assert len(rows) == len(set(rows))


def test_what_is_the_same_as_a_decided_item_is_not_asked(
    new_workspace: Callable[..., Workspace],
) -> None:
    from hilt.pipeline.proposing.propose import propose

    twins = [(f"twin-{i}", "The CAT slept  in its den all day.", "animals") for i in range(3)]
    workspace = new_workspace(extra=twins, audit=0.0)
    propose(workspace)
    record(workspace, [Decision("twin-0", "label", ("animals",), "ann")])

    asked = {item.item_id for item in select(workspace, 60).items}

    assert asked.isdisjoint({"cat-0", "twin-0", "twin-1", "twin-2"})


def test_every_item_carries_a_reason_a_score_and_the_likeliest_labels(
    small_workspace: Open,
) -> None:
    batch = select(small_workspace("proposed"))

    assert {item.reason for item in batch.items} == {"spread", "audit"}
    assert all(0 <= item.score <= 1 for item in batch.items)
    assert all(len(item.proposal) == 3 for item in batch.items)
    assert all(item.proposal[0].probability >= item.proposal[1].probability for item in batch.items)


def test_undecided_items_stay_open(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    batch = select(workspace)
    record(workspace, [Decision(batch.items[0].item_id, "skip", (), "ann")])

    current = LoopState.read(workspace).open_batch
    assert current is not None
    assert LoopState.read(workspace).undecided(current).items == batch.items[1:]


def test_a_pool_can_be_asked_to_its_end(small_workspace: Open) -> None:
    workspace = small_workspace("reviewed")
    while len(LoopState.read(workspace).resolved) < len(workspace.pool):
        simulate(workspace, select(workspace, 25))

    batch = select(workspace)

    assert (len(batch), batch.number) == (0, 0)
    assert "Nothing is left to ask" in batch.note
    assert workspace.database.batch_numbers()[-1] > 0


def test_selecting_before_proposing_names_the_command(small_workspace: Open) -> None:
    with pytest.raises(WorkspaceError, match="run `hilt propose"):
        select(small_workspace("ready"))


def test_a_cycle_waits_for_the_open_batch(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    batch = cycle(workspace)
    record(workspace, [Decision(batch.items[0].item_id, "skip", (), "ann")])

    with pytest.raises(WorkspaceError, match="Batch 2 has 11 undecided items"):
        cycle(workspace)
    assert cycle(workspace, partial=True).number == 3


def test_near_duplicates_are_audited_as_often_as_they_are(
    new_workspace: Callable[..., Workspace],
) -> None:
    from hilt.pipeline.proposing.propose import propose

    texts = [f"The CAT slept{' ' * number} in its den all day." for number in range(1, 61)]
    twins = [(f"twin-{number}", text, "") for number, text in enumerate(texts)]
    workspace = new_workspace(extra=twins, audit=1.0)
    propose(workspace)

    audit = [item.item_id for item in select(workspace, 40).items]

    assert 13 < sum(item_id.startswith("twin") for item_id in audit) < 27


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"minutes": float("nan")}, "minutes is nan; it must be a number above 0"),
        ({"minutes": float("inf")}, "minutes is inf"),
        ({"minutes": float("-inf")}, "minutes is -inf"),
        ({"minutes": -5}, "minutes is -5"),
        ({"minutes": 0}, "minutes is 0"),
        ({"size": 0}, "size is 0; a batch has at least 1 item"),
        ({"size": -1}, "size is -1"),
    ],
)
def test_a_batch_of_nothing_is_refused(
    small_workspace: Open, asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        select(small_workspace("proposed"), **asked)


@pytest.mark.parametrize("asked", [{"minutes": 1e300}, {"size": 10**30}])
def test_more_than_there_is_gives_what_there_is(
    small_workspace: Open, asked: dict[str, Any]
) -> None:
    assert len(select(small_workspace("proposed"), **asked)) > 20


def test_the_least_time_gives_one_item(small_workspace: Open) -> None:
    assert len(select(small_workspace("proposed"), minutes=1e-300)) == 1


@pytest.mark.parametrize("number", [-1, 0, 7, 10**20])
def test_a_batch_that_there_is_not_is_named(small_workspace: Open, number: int) -> None:
    with pytest.raises(WorkspaceError, match=f"has no batch {number}; it has 1"):
        LoopState.read(small_workspace("selected")).batch(number)
