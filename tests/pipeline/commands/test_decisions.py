"""`hilt decisions`, and what it lists."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import hilt
from hilt.errors import DataError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.decisions import decisions, write_decisions
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def workspace(small_workspace: Callable[[str], Workspace]) -> Workspace:
    """One item each that was labelled, skipped, flagged, commented on, and skipped at first."""
    workspace = small_workspace("selected")
    one, two, three, four, five, *_ = LoopState.read(workspace).batch(1).items
    said = [
        Decision(one.item_id, "label", ("food",), "ann", 1),
        Decision(two.item_id, "skip", (), "ann", 1),
        Decision(three.item_id, "flag", (), "bob", 1, comment="=cmd|'/c calc'!A1"),
        Decision(four.item_id, "label", ("sport",), "ann", 1, comment="or food?"),
        Decision(five.item_id, "skip", (), "ann", 1),
        Decision(five.item_id, "label", ("food",), "ann", 1),
    ]
    for each in said:
        record(workspace, [each])
    machine = Decision(one.item_id, "label", ("food",), "machine:fused", comment="", kind="machine")
    workspace.database.add_decisions([decision_row(machine, one.index, None)])
    return workspace


def ids_at(workspace: Workspace, *ranks: int) -> list[str]:
    items = LoopState.read(workspace).batch(1).items
    return [items[rank].item_id for rank in ranks]


@pytest.mark.parametrize(
    ("wanted", "ranks"),
    [
        ((), (0, 1, 2, 3, 4)),
        (("skipped",), (1,)),
        (("flagged",), (2,)),
        (("commented",), (2, 3)),
        (("skipped", "commented"), (1, 2, 3)),
    ],
)
def test_each_kind_is_listed(
    workspace: Workspace, call: Call, wanted: tuple[str, ...], ranks: tuple[int, ...]
) -> None:
    given = hilt.decisions(workspace, **dict.fromkeys(wanted, True))
    options = [f"--{kind}" for kind in wanted]
    code, out, _ = call("decisions", workspace.folder, *options, "--json")

    assert [each.id for each in given] == ids_at(workspace, *ranks)
    assert code == 0
    assert [each["id"] for each in json.loads(out)["decisions"]] == ids_at(workspace, *ranks)


def test_the_last_word_counts(workspace: Workspace) -> None:
    last = decisions(workspace)[-1]

    assert (last.action, last.label, last.outcome, last.reviewer) == (
        "label",
        "food",
        "food",
        "ann",
    )


def test_the_table_shows_who_said_what(workspace: Workspace, call: Call) -> None:
    code, out, _ = call("decisions", workspace.folder, "--flagged", "--commented")

    assert code == 0
    assert "2 decisions" in out
    assert "bob" in out
    assert "or food?" in out


def test_nothing_flagged_is_said(small_workspace: Callable[[str], Workspace], call: Call) -> None:
    folder = small_workspace("selected").folder

    assert call("decisions", folder, "--flagged")[1] == "Nobody has flagged anything yet.\n"
    assert call("decisions", folder)[1] == "Nobody has decided anything yet.\n"


def test_a_file_holds_all_of_them_and_runs_no_formula(
    workspace: Workspace, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "flagged.csv"
    code, out, _ = call("decisions", workspace.folder, "--commented", "-o", path)

    assert (code, out) == (0, f"{path}: 2 decisions.\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["comment"] == "'=cmd|'/c calc'!A1"
    assert (second["action"], second["label"], second["comment"]) == ("label", "sport", "or food?")


def test_a_strangers_file_is_not_replaced(workspace: Workspace, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine", encoding="utf-8")

    code, _, error = call("decisions", workspace.folder, "-o", path)

    assert code == 2
    assert str(path) in error
    assert path.read_text(encoding="utf-8") == "mine"


def test_only_csv_is_written(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.csv"):
        write_decisions(workspace, [], tmp_path / "x.xlsx")


def test_status_counts_skips_flags_and_comments_apart(workspace: Workspace, call: Call) -> None:
    result = status(workspace)
    _, out, _ = call("status", workspace.folder)
    _, as_json, _ = call("status", workspace.folder, "--json")

    assert (result.skipped, result.flagged, result.commented) == (1, 1, 2)
    assert "1 skipped, 1 flagged, 2 commented; list them with `hilt decisions" in out
    assert json.loads(as_json)["commented"] == 2
