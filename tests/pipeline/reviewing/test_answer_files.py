"""Batches out to files, decisions back in."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.errors import DataError, UnknownNameError, WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import export, import_answers, record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

Open = Callable[[str], Workspace]


@pytest.mark.parametrize("name", ["batch.csv", "batch.jsonl"])
def test_what_the_simulated_reviewer_writes_is_read_back(
    small_workspace: Open, tmp_path: Path, name: str
) -> None:
    workspace = small_workspace("selected")
    export(workspace, tmp_path / name, simulated=True)

    result = import_answers(workspace, tmp_path / name)

    assert (result.added, result.unchanged, result.open_items) == (12, 0, 0)
    assert {row.reviewer for row in workspace.database.decisions()} == {"simulated"}


def test_reading_a_file_twice_adds_nothing(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    export(workspace, tmp_path / "batch.csv", simulated=True)
    import_answers(workspace, tmp_path / "batch.csv")

    again = import_answers(workspace, tmp_path / "batch.csv")

    assert (again.added, again.unchanged) == (0, 12)
    assert len(workspace.database.decisions()) == 12


def test_an_exported_blind_item_gives_nothing_away(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    export(workspace, tmp_path / "batch.jsonl")

    lines = (tmp_path / "batch.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    blind = [each for each in records if each["blind"]]
    assert len(blind) == 3
    for each in blind:
        assert each["proposal"] is each["probability"] is each["reason"] is each["score"] is None
        assert each["alternatives"] == []
    assert all(each["proposal"] for each in records if not each["blind"])


def test_one_wrong_line_stores_nothing_unless_partial(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("selected")
    path = tmp_path / "batch.csv"
    export(workspace, path, simulated=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[4]["label"] = "animal"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    with pytest.raises(DataError, match=r"line 6: .*'animal'.*animals(.|\n)*Nothing was stored"):
        import_answers(workspace, path)
    assert workspace.database.decisions() == []

    result = import_answers(workspace, path, partial=True)
    assert result.added == 11
    assert [rejection.line for rejection in result.rejected] == [6]


def test_labels_from_elsewhere_need_only_an_id(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("proposed")
    (tmp_path / "known.csv").write_text("id,label\ncat-0,animals\nsoup-1,food\n")

    assert import_answers(workspace, tmp_path / "known.csv", reviewer="ann").added == 2
    assert not any(outcome.audit for outcome in LoopState.read(workspace).resolved)


def test_an_unknown_item_is_refused_with_its_line(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("proposed")
    (tmp_path / "known.csv").write_text("id,label\ncat-0,animals\nunicorn,animals\n")

    with pytest.raises(DataError, match="line 3: no item of the pool has the id 'unicorn'"):
        import_answers(workspace, tmp_path / "known.csv")


def test_an_item_of_another_batch_is_refused(small_workspace: Open) -> None:
    workspace = small_workspace("selected")

    with pytest.raises(DataError, match="batch 7 has no item"):
        record(workspace, [Decision("cat-0", "skip", (), "ann", batch=7)])


def test_a_decision_keeps_what_was_shown(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    batch = select(workspace)
    simulate(workspace, batch)

    by_item = {row.item_id: row for row in workspace.database.decisions()}
    for item in batch.items:
        row = by_item[item.item_id]
        assert row.blind == item.blind
        assert row.audit == item.blind
        assert row.shown_label == (None if item.blind else item.proposal[0].label)


def test_only_undecided_items_are_exported_again(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    first = select(workspace).items[0]
    record(workspace, [Decision(first.item_id, "flag", (), "ann")])

    again = export(workspace, tmp_path / "rest.csv")
    whole = export(workspace, tmp_path / "whole.csv", batch=1)

    assert first not in again.items
    assert (len(again), len(whole)) == (11, 12)


def test_a_mistake_in_a_name_is_explained(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")

    with pytest.raises(UnknownNameError, match="Available: csv, jsonl"):
        export(workspace, tmp_path / "batch.xlsx")
    with pytest.raises(WorkspaceError, match="no batch 9"):
        export(workspace, tmp_path / "batch.csv", batch=9)


def test_without_an_answer_key_nothing_is_simulated(small_workspace: Open, tmp_path: Path) -> None:
    from hilt.pipeline.proposing.propose import propose
    from hilt.pipeline.workspace.init import init

    text = (small_workspace("ready").folder / "hilt.yaml").read_text("utf-8")
    (tmp_path / "keyless.yaml").write_text(text.replace("  label: label\n", "", 1), "utf-8")
    workspace = init(tmp_path / "keyless", tmp_path / "keyless.yaml")
    propose(workspace)

    with pytest.raises(DataError, match="no answer key"):
        simulate(workspace, select(workspace))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_what_is_rejected_is_found_in_its_file_whatever_kind_that_is(
    small_workspace: Open, tmp_path: Path, name: str
) -> None:
    workspace = small_workspace("ready")
    ids = workspace.pool.ids([0, 1, 2])
    labels = [workspace.config.label_names[0], "zebra", "zebra"]
    rows = [{"id": item, "label": label} for item, label in zip(ids, labels, strict=True)]
    written = {
        "a.json": (json.dumps(rows), "record 2", "Correct these records"),
        "a.jsonl": (
            "".join(json.dumps(row) + "\n" for row in rows),
            "line 2",
            "Correct these lines",
        ),
        "a.csv": (
            "id,label\n" + "".join(f"{row['id']},{row['label']}\n" for row in rows),
            "line 3",
            "Correct these lines",
        ),
    }
    text, place, mend = written[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=rf"{name}, {place} \(and 1 more: \d\): 'zebra'") as caught:
        import_answers(workspace, path)
    stored = import_answers(workspace, path, partial=True)

    assert mend in str(caught.value)
    assert f"{stored.rejected[0].unit} {stored.rejected[0].line}" == place


def test_an_id_of_a_megabyte_is_not_told_whole(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("ready")
    path = tmp_path / "a.csv"
    path.write_text(f"id,label\n{'9' * 1_000_000},{workspace.config.label_names[0]}\n")

    with pytest.raises(
        DataError, match=r"a\.csv, line 2: no item of the pool has the id"
    ) as caught:
        import_answers(workspace, path)

    assert len(str(caught.value)) < 600
