"""What a workspace learns of the time that its reviewers take."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from typer.testing import CliRunner

from hilt.errors import ConfigError
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.selecting.item_seconds import ASSUMED_SECONDS, measured_cost, predicted_seconds
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Decision

MakeWorkspace = Callable[..., Workspace]
Open = Callable[[str], Workspace]


def reconfigured(workspace: Workspace, lines: str, *, batch: str = "") -> Workspace:
    """Open the same workspace with other settings."""
    path = workspace.folder / "hilt.yaml"
    text = path.read_text("utf-8").replace("  size: 12\n", batch or "  size: 12\n")
    path.write_text(text + lines, "utf-8")
    return open_workspace(workspace.folder)


@pytest.fixture
def timed(new_workspace: MakeWorkspace) -> Workspace:
    """Fifty decisions, each a second for every ten characters, and 200 items of many lengths."""
    long = [(f"long-{n}", f"A wild cat{' and a dog' * n} slept.", "animals") for n in range(60)]
    workspace = reconfigured(
        new_workspace(extra=long),
        "simulation:\n  seconds: 1\n  seconds_per_character: 0.1\n  seconds_noise: 0.2\n",
    )
    propose(workspace)
    simulate(workspace, select(workspace, 50))
    return workspace


def test_nothing_is_known_before_a_decision_has_a_time(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    batch = select(workspace)
    record(workspace, [Decision(batch.items[0].item_id, "skip", (), "ann", batch.number)])

    assert measured_cost(LoopState.read(workspace)) is None
    assert all(item.why is not None and item.why.seconds is None for item in batch.items)


def test_the_constant_reviewer_makes_nothing_predictable(small_workspace: Open) -> None:
    workspace = small_workspace("two_cycles")
    cost = measured_cost(LoopState.read(workspace))

    assert cost is not None
    committee = Committee(Panel.of(LoopState.read(workspace)))
    assert (cost.decisions, cost.median_seconds, cost.is_predictable) == (24, 5, False)
    assert predicted_seconds(workspace, cost, committee) is None


def test_long_items_are_predicted_to_take_longer(timed: Workspace) -> None:
    cost = measured_cost(LoopState.read(timed))
    assert cost is not None

    seconds = predicted_seconds(timed, cost, Committee(Panel.of(LoopState.read(timed))))

    assert cost.is_predictable
    assert seconds is not None
    truth = 1 + 0.1 * timed.pool.lengths
    assert np.abs(np.log(seconds / truth)).mean() < 0.25
    assert cost.model.factors["for a text twice as long"] > 1.5


def test_a_later_batch_says_how_long_its_items_take(timed: Workspace) -> None:
    batch = select(timed, 12)

    seconds = [item.why.seconds for item in batch.items if item.why is not None]
    assert len(seconds) == 12
    assert len(set(seconds)) > 1


def test_what_was_decided_in_bulk_has_no_time_of_its_own(timed: Workspace) -> None:
    batch = select(timed, 12)
    rows = [
        Decision(item.item_id, "skip", (), "ann", batch.number, seconds=0.2, kind="bulk")
        for item in batch.items
    ]
    record(timed, rows)
    cost = measured_cost(LoopState.read(timed))

    assert cost is not None
    assert cost.decisions == 50


def test_a_batch_fills_the_minutes(timed: Workspace) -> None:
    batch = select(timed, minutes=1.5)

    seconds = sum(item.why.seconds or 0 for item in batch.items if item.why is not None)
    assert 75 <= seconds <= 90.5
    blind = sum(item.blind for item in batch.items)
    assert abs(blind - len(batch) / 4) <= 1.5


def test_minutes_may_stand_in_the_configuration(new_workspace: MakeWorkspace) -> None:
    workspace = reconfigured(new_workspace(), "", batch="  minutes: 2\n")
    propose(workspace)

    batch = select(workspace)

    assert len(batch) == 120 / ASSUMED_SECONDS
    simulate(workspace, batch)
    assert len(select(workspace)) == 120 / 5
    assert len(select(workspace, 7, new=True)) == 7


def test_a_size_and_minutes_exclude_each_other(
    small_workspace: Open, new_workspace: MakeWorkspace
) -> None:
    with pytest.raises(ConfigError, match=r"a size \(12\) and a duration \(5 minutes\); give one"):
        select(small_workspace("proposed"), 12, minutes=5)
    with pytest.raises(ConfigError, match="`batch` has a `size` and `minutes`; take one"):
        reconfigured(new_workspace(), "", batch="  size: 12\n  minutes: 2\n")


def test_the_command_fills_minutes_and_status_says_what_they_buy(timed: Workspace) -> None:
    work = str(timed.folder)

    select_ = CliRunner().invoke(app, ["select", work, "--minutes", "1"])
    status = CliRunner().invoke(app, ["status", work])
    told = json.loads(CliRunner().invoke(app, ["status", work, "--json"]).stdout)["cost"]

    assert select_.exit_code == 0
    assert "; about 1 minute." in select_.stdout
    assert "for a text twice as long" in status.stdout
    assert told["used"]
    assert told["decisions"] == 50
