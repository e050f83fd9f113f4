"""What a user sees of near-duplicates: in the terminal, as JSON, in the report."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from hilt.errors import WorkspaceError
from hilt.pipeline.benchmarking.arms import branch
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.duplicates import duplicates
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reporting.report import render_report
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

Copies = Callable[..., Workspace]


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_pairs_on_both_sides_of_the_thresholds_are_kept_to_be_looked_at(copies: Copies) -> None:
    result = duplicates(copies())

    together = [pair for pair in result.pairs if pair.together]
    apart = [pair for pair in result.pairs if not pair.together]
    assert {pair.overlap for pair in together} == {1.0}
    assert all(pair.cosine >= 0.9 for pair in together)
    assert all(pair.cosine < 0.9 or pair.overlap < 0.6 for pair in apart)
    assert (("day",), ("night",)) in {pair.words for pair in apart}


@pytest.mark.parametrize("most", [1, 5])
def test_the_largest_groups_come_first(copies: Copies, most: int) -> None:
    result = duplicates(copies(), most)

    assert result.largest[0].items == 37
    assert len(result.largest[0].members) == 3
    assert len(result.largest) == 1  # all others are alone
    assert result.sizes == {"2": 0, "3 to 9": 0, "10 to 99": 1, "100 or more": 0}


def test_the_command_shows_groups_and_close_pairs(copies: Copies) -> None:
    out = run("duplicates", copies().folder)

    assert "37 items are in 1 group of near-duplicates; 0 inherit a label." in out
    assert "The search found 100.0% of the nearest neighbours of a sample." in out
    assert "37 items: " in out
    assert "Only just together (needed: cosine 0.9 and overlap 0.6):" in out
    assert "has day\n" in out
    assert "has night\n" in out


def test_the_json_says_the_same(copies: Copies) -> None:
    out = json.loads(run("duplicates", copies().folder, "--json", "--most", 1))

    assert out["summary"]["items"] == 37
    assert out["largest"][0]["items"] == 37
    assert {pair["together"] for pair in out["pairs"]} == {True, False}


def test_the_command_finds_what_edited_thresholds_make_of_it(copies: Copies) -> None:
    workspace = copies(cosine=1.0)
    path = workspace.folder / "hilt.yaml"
    path.write_text(path.read_text("utf-8").replace("duplicates: {}", "duplicates: {cosine: 1}"))

    assert status(workspace).next_step.startswith("hilt propose")
    assert "cosine 1 and overlap 0.6" in run("duplicates", workspace.folder)


def test_before_embedding_there_is_nothing_to_see(
    new_workspace: Callable[..., Workspace],
) -> None:
    with pytest.raises(WorkspaceError, match="run `hilt propose"):
        duplicates(new_workspace())


def test_proposing_and_status_say_how_many_there_are(copies: Copies) -> None:
    workspace = copies()
    record(workspace, [Decision("cat-0", "label", ("animals",), "ann")])

    assert propose(workspace).duplicates == status(workspace).duplicates
    assert "37 items are in 1 group of near-duplicates; 36 inherit" in run(
        "status", workspace.folder
    )


def test_the_report_shows_groups_and_close_pairs(copies: Copies) -> None:
    workspace = copies()
    record(workspace, [Decision("cat-0", "label", ("animals",), "ann")])

    page = render_report(LoopState.read(workspace), datetime(2026, 5, 4, tzinfo=UTC))

    assert "37 items are in 1 group: 1 of 10 to 99." in page
    assert "36 others have inherited its label" in page
    assert "The dog slept in its den all night." in page


def test_without_groups_the_report_says_nothing_of_them(copies: Copies) -> None:
    state = LoopState.read(copies(near=False))
    page = render_report(state, datetime(2026, 5, 4, tzinfo=UTC))

    assert "Near-duplicates" not in page


def test_a_branch_of_a_workspace_shares_graph_and_groups(copies: Copies) -> None:
    workspace = copies()

    other = branch(workspace, workspace.folder.parent / "branch", {"seed": 5})

    assert other.graph is not None
    assert other.near_duplicates.path.stat().st_nlink > 1
    assert propose(other).made == ()
