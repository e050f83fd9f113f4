"""Batches that are smaller than was asked for, and what is said of it."""

import json
from collections.abc import Callable

import numpy as np
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.selecting.shortage import why_short
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Integers

Open = Callable[[str], Workspace]
GROUPS = np.array([0, 0, 2, 3, 3, 5, 6, 7, 8])


def said(wanted: int = 9, **lists: list[int]) -> str:
    indices: dict[str, Integers] = {
        name: np.array(lists.get(name, []), dtype=np.int64)
        for name in ("batch", "decided", "waiting", "kept", "empty")
    }
    return why_short(wanted, indices.pop("batch"), GROUPS, minutes=None, **indices)


def test_a_full_batch_needs_no_reason() -> None:
    assert said(2, batch=[0, 2]) == ""


def test_each_item_is_counted_once_by_the_first_reason_that_it_has() -> None:
    assert said(batch=[0], decided=[3], waiting=[5], kept=[1, 6], empty=[8]) == (
        "1 instead of 9 items: nothing else is left to ask. Left out: items that wait in another"
        " open batch (1); near-duplicates of items that are decided or in a batch (2); items kept"
        " for the audit in later batches (1); items that the selector did not pick (2)"
    )


def test_a_batch_of_all_that_is_left_says_so() -> None:
    assert said(batch=[0, 1], decided=list(range(2, 9))).endswith("every other item is decided")


def test_a_short_batch_says_why_wherever_it_is_shown(
    new_workspace: Callable[..., Workspace],
) -> None:
    twins = [(f"twin-{number}", "The CAT slept  in its den all day.", "") for number in range(5)]
    workspace = new_workspace(extra=twins)
    propose(workspace)

    result = CliRunner().invoke(app, ["select", str(workspace.folder), "--size", "65"])

    batch = LoopState.read(workspace).batch(1)
    kept = sum(item.reason == "audit" for item in batch.items)
    assert kept == round(0.25 * 65)
    assert batch.shortage.startswith(f"{len(batch)} instead of 65 items: nothing else is left")
    assert "near-duplicates of items that are decided or in a batch (" in batch.shortage
    assert batch.shortage in " ".join(result.stdout.split())
    told = CliRunner().invoke(app, ["select", str(workspace.folder), "--json"])
    assert json.loads(told.stdout)["shortage"] == batch.shortage


def test_a_batch_by_minutes_that_is_short_says_why(new_workspace: Callable[..., Workspace]) -> None:
    workspace = new_workspace()
    propose(workspace)

    enough = select(workspace, minutes=1)  # at ten seconds each
    short = select(workspace, minutes=30, new=True)

    assert (len(enough), enough.shortage) == (6, "")
    assert len(short) == 56
    assert short.shortage.startswith("56 items, for 9.3 of 30 minutes: nothing else is left")
    assert "items kept for the audit in later batches (4)" in short.shortage


def test_a_full_batch_says_nothing_of_it(small_workspace: Open) -> None:
    assert select(small_workspace("proposed")).shortage == ""


def test_embeddings_that_are_all_alike_do_not_make_a_batch_short(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")
    values = workspace.config.model_dump(exclude_unset=True)
    values["batch"] = {**values["batch"], "near_duplicate": 0.01}
    config = workspace.config.model_validate(values)

    batch = select(Workspace(workspace.folder, config, "cpu"))

    assert len(batch) == 12
    assert batch.shortage == ""
