"""The commands around the review screen, as a user meets them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilt.errors import WorkspaceError
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reporting.report import report
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.serving import review_in_browser
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision, DecisionKind
from hilt.values import value_of
from scripts.support.rehearsal import made_up_texts, rehearsal_workspace
from tests.one_label import known_labels

Open = Callable[[str], Workspace]


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], env={"COLUMNS": "140"}
    )
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return rehearsal_workspace(tmp_path, made_up_texts(30))


def label(workspace: Workspace, reviewer: str, labels: dict[int, str]) -> None:
    record(
        workspace,
        [Decision(f"i{item}", "label", (given,), reviewer) for item, given in labels.items()],
    )


def test_reviewers_are_added_listed_and_removed(workspace: Workspace) -> None:
    work = workspace.folder
    nobody = run("reviewer", "list", work)[1]
    added = json.loads(run("reviewer", "add", work, "Ann", "--adjudicator", "--json")[1])
    run("reviewer", "add", work, "Bo")

    listed = json.loads(run("reviewer", "list", work, "--json")[1])
    run("reviewer", "remove", work, "Bo")

    assert "the address that `hilt review` prints can review" in " ".join(nobody.split())
    assert len(added["token"]) > 30
    assert [(each["name"], each["adjudicator"]) for each in listed["reviewers"]] == [
        ("Ann", True),
        ("Bo", False),
    ]
    assert all("token" not in each for each in listed["reviewers"])
    assert "Ann" in run("reviewer", "list", work)[1]
    assert "Bo" not in run("reviewer", "list", work)[1]


@pytest.mark.parametrize("name", ["gold", "machine:fused", "resolved:skill", "", "a\nb", "x" * 65])
def test_a_name_that_means_something_else_is_refused(workspace: Workspace, name: str) -> None:
    code, _, err = run("reviewer", "add", workspace.folder, name)

    assert code == 2
    assert "cannot be the name of a reviewer" in err


def test_removing_somebody_unknown_names_who_is_there(workspace: Workspace) -> None:
    run("reviewer", "add", workspace.folder, "Annette")

    code, _, err = run("reviewer", "remove", workspace.folder, "Anette")

    assert code == 2
    assert "Did you mean: Annette?" in err


def test_an_address_that_others_reach_needs_a_reviewer(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="hilt reviewer add"):
        review_in_browser(workspace, host="0.0.0.0", port=0)


def test_agreement_is_told_in_text_and_json_and_settled(workspace: Workspace) -> None:
    label(workspace, "ann", {item: "sport" for item in range(9)})
    label(workspace, "bo", {item: "sport" if item < 6 else "tech" for item in range(9)})
    label(workspace, "cleo", {8: "tech"})

    told = json.loads(run("agreement", workspace.folder, "--json")[1])
    text = run("agreement", workspace.folder)[1]
    settled = json.loads(run("agreement", workspace.folder, "--settle", "majority", "--json")[1])

    assert told["agreement"]["items"] == 9
    assert told["disputed"] == 3
    assert "Krippendorff's alpha" in text
    assert "ann and bo" in text
    assert (settled["settled"], settled["disputed"]) == (1, 2)
    assert told["little_known"] == {"ann": 9, "bo": 9, "cleo": 1}
    assert "rather than by skill" in " ".join(text.split())


def test_known_answers_are_imported_and_measure_people(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "known.csv").write_text("id,label\ni0,sport\ni1,tech\n")
    run("import", workspace.folder, tmp_path / "known.csv", "--gold")
    label(workspace, "ann", {0: "sport", 1: "sport"})

    gold = json.loads(run("agreement", workspace.folder, "--json")[1])["gold"]

    assert (gold["ann"]["share"], gold["ann"]["items"]) == (0.5, 2)
    outcomes = {outcome.index: outcome.value for outcome in LoopState.read(workspace).resolved}
    assert outcomes[1] == value_of("tech")


def test_status_and_report_tell_of_the_people(small_workspace: Open) -> None:
    workspace = small_workspace("reviewed")
    label(workspace, "bo", {})
    items = [row for row in workspace.database.batch_items() if not row.blind]
    record(
        workspace,
        [
            Decision(row.item_id, "label", (other,), "bo", batch=row.batch)
            for row in items[:2]
            for other in ("animals", "food", "sport")
            if other != known_labels(workspace)[row.item_id]
        ][:2],
    )

    status = json.loads(run("status", workspace.folder, "--json")[1])

    assert status["disputed"] >= 1
    assert "People disagree on" in run("status", workspace.folder)[1]
    assert status["next_step"].startswith("hilt cycle")


def decided(said: Decision, shown: BatchItemRow, *, blind: bool) -> DecisionRow:
    """A decision on the screen, with its proposal in view or not."""
    row = decision_row(said, shown.item_index, shown)
    if blind:
        row.blind, row.shown_label, row.shown_probability = True, None, None
    return row


def test_status_and_report_tell_how_far_people_lean(workspace: Workspace) -> None:
    rows = [row for row in workspace.database.batch_items() if not row.blind]
    for number, row in enumerate(rows[:20]):
        given = row.proposal[0].label if number % 2 else "sport"
        kind: DecisionKind = "bulk" if number in (0, 1) else "review"
        said = Decision(row.item_id, "label", (given,), "ann", row.batch, kind=kind)
        workspace.database.add_decisions([decided(said, row, blind=number >= 10)])
    again = Decision(rows[0].item_id, "label", ("sport",), "bo", 1, kind="check")
    workspace.database.add_decisions([decided(again, rows[0], blind=True)])

    out = run("status", workspace.folder)[1]
    page = report(workspace).read_text("utf-8")

    assert "of 8 when shown" in out
    assert "of 10 when blind; seeing a proposal raises" in out
    assert "Decisions in bulk: 100.0% of 1 holds" in out
    assert "10 drawn to be shown without it" in page
    assert "Of 1 item decided in bulk" in page


def test_a_guideline_for_no_label_is_refused(workspace: Workspace) -> None:
    path = workspace.folder / "hilt.yaml"
    path.write_text(path.read_text("utf-8") + "review:\n  guidelines:\n    sprot: x\n", "utf-8")

    code, _, err = run("config", path)

    assert code == 2
    assert "'sprot' is not a label" in err


def test_a_batch_that_extends_leaves_open_items_open_and_takes_none_twice(
    small_workspace: Open,
) -> None:
    workspace = small_workspace("selected")
    first = select(workspace)

    second = select(workspace, 12, extend=True)

    assert workspace.database.open_batches() == [1, 2]
    assert not {item.index for item in first.items} & {item.index for item in second.items}
    select(workspace, new=True)
    assert workspace.database.open_batches() == [3]
