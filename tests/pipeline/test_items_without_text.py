"""Items without a text: kept in their place, counted, and never asked about."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.duplicates.inheriting import inherit, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.releasing.release import release
from hilt.pipeline.reporting.report import report
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import export, record, simulate
from hilt.pipeline.reviewing.disagreements import agreement
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.gathering import _sample_unlabelled
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Decision
from hilt.values import candidates_from_json

BLANK = {"nothing": "", "spaces": "  \t ", "no-break": "\u00a0\u2003"}


@pytest.fixture(scope="module")
def proposed(
    make_workspace_in: Callable[..., Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A workspace with three such items; copy, do not change."""
    extra = [(item_id, text, "food") for item_id, text in BLANK.items()]
    workspace = make_workspace_in(
        tmp_path_factory.mktemp("blank"), extra=extra, test=False, duplicates={"audited": 0.2}
    )
    propose(workspace)
    workspace.database.close()
    return workspace.folder


@pytest.fixture
def workspace(proposed: Path, tmp_path: Path) -> Workspace:
    return open_workspace(shutil.copytree(proposed, tmp_path / "work"))


def ask_about_a_blank_item(workspace: Workspace, reason: str = "audit") -> int:
    """Put one into a batch, as versions before this one did."""
    index = int(workspace.pool.empty[0])
    ordinary = next(i for i in range(60) if i not in workspace.pool.empty)
    rows = [
        BatchItemRow(
            rank=rank,
            item_index=item,
            item_id=workspace.pool.ids([item])[0],
            reason=reason,
            score=0.5,
            blind=reason == "audit",
            proposal=candidates_from_json([["food", 0.5]]),
        )
        for rank, item in enumerate([ordinary, index])
    ]
    return workspace.database.add_batch(0, {"kind": "auto"}, rows).number


@pytest.mark.parametrize("space", [chr(c) for c in range(0x3001) if chr(c).isspace()])
def test_the_pool_knows_white_space_as_python_does(space: str) -> None:
    assert pc.utf8_trim_whitespace(pa.array([space]))[0].as_py() == ""


def test_nobody_is_ever_asked_about_them(workspace: Workspace) -> None:
    asked: set[int] = set()
    while len(asked) < 60:
        batch = select(workspace, 25)
        asked |= {item.index for item in batch.items}
        simulate(workspace, batch)

    assert len(select(workspace)) == 0
    assert len(workspace.pool.empty) == 3
    assert asked == set(range(63)) - set(workspace.pool.empty.tolist())


def test_a_new_batch_and_an_oracle_pass_them_over(workspace: Workspace) -> None:
    batches = [select(workspace, 30, new=True) for _ in range(2)]
    answered = {answer.item_id for answer in oracle(workspace, least=0.01).answers}

    asked = {item.item_id for batch in batches for item in batch.items}
    assert not BLANK.keys() & (asked | answered)


def test_the_others_are_drawn_as_if_these_were_not_there(workspace: Workspace) -> None:
    numbers = draw(workspace.pool.ids(slice(None)), workspace.config.seed, "audit")
    order = [i for i in np.argsort(numbers).tolist() if i not in workspace.pool.empty]

    audit = [item.index for item in select(workspace).items if item.reason == "audit"]

    assert sorted(audit) == sorted(order[:3])


def test_an_older_batch_that_asks_about_one_can_be_finished(workspace: Workspace) -> None:
    number = ask_about_a_blank_item(workspace)
    batch = LoopState.read(workspace).batch(number)
    before = status(workspace)
    record(workspace, [Decision(batch.items[0].item_id, "label", ("food",), "ann", number)])
    after = status(workspace)

    assert (before.open_items, before.without_text) == (1, 1)
    assert after.open_items == 0
    assert LoopState.read(workspace).open_batch is None
    assert LoopState.read(workspace).undecided(batch).items == ()
    assert "1 of its items has no text, and counts as decided." in said_by_status(workspace)


def test_an_export_leaves_them_out(workspace: Workspace, tmp_path: Path) -> None:
    number = ask_about_a_blank_item(workspace)

    export(workspace, tmp_path / "open.csv")
    export(workspace, tmp_path / "whole.csv", batch=number)

    for name in ("open.csv", "whole.csv"):
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == 1


def test_what_was_said_of_one_teaches_measures_and_passes_on_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    number = ask_about_a_blank_item(workspace)
    said = [
        Decision(item.item_id, "label", (label,), "ann", number)
        for item, label in zip(
            LoopState.read(workspace).batch(number).items, ("sport", "food"), strict=True
        )
    ]
    record(workspace, said, blind=True)
    train(workspace)
    propose(workspace)
    summary = workspace.database.trainings()[-1].summary

    outcomes = LoopState.read(workspace).resolved
    inherited = inherit(settled_groups(workspace, outcomes), outcomes)
    assert (summary.human_labels, summary.audit_labels) == (1, 1)
    assert not np.isin(inherited.indices, workspace.pool.empty).any()
    assert status(workspace).human_labels == 1
    release(workspace, tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "dataset.parquet").to_pylist()
    assert [row["source"] for row in rows if row["id"] in BLANK] == ["none"] * 3


def test_a_disagreement_on_one_is_none_and_nothing_settles_it(workspace: Workspace) -> None:
    label, other = workspace.config.label_names[:2]
    blank, ordinary = workspace.pool.ids([int(workspace.pool.empty[0]), 0])
    record(
        workspace,
        [
            Decision(item, "label", (given,), name)
            for item in (blank, ordinary)
            for name, given in (("ann", label), ("bob", label), ("cleo", other))
        ],
    )

    assert agreement(workspace).disputed == status(workspace).disputed == 1
    assert agreement(workspace).agreement.items == 1
    assert agreement(workspace, settle="majority").settled == 1
    assert {row.item_id for row in workspace.database.decisions() if row.kind == "rule"} == {
        ordinary
    }


def test_none_is_drawn_for_self_training(workspace: Workspace) -> None:
    settings, rng = workspace.config.student.self_training, np.random.default_rng(0)
    drawn = _sample_unlabelled(workspace.pool, settings, np.array([0, 1]), rng)

    assert sorted(drawn) == sorted(set(range(2, 63)) - set(workspace.pool.empty.tolist()))


def test_a_release_keeps_their_place_and_gives_them_no_label(
    workspace: Workspace, tmp_path: Path
) -> None:
    result = release(workspace, tmp_path / "out")

    rows = pq.read_table(tmp_path / "out" / "dataset.parquet").to_pylist()
    blank = [row for row in rows if row["id"] in BLANK]
    assert [row["id"] for row in rows] == workspace.pool.ids(slice(None))
    assert {row["id"]: row["text"] for row in blank} == BLANK
    assert {(row["label"], row["proposal"], row["source"], row["given_by"]) for row in blank} == {
        (None, None, "none", "")
    }
    assert (result.machine, result.unlabelled, result.without_text) == (60, 3, 3)
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| nobody: there is no text (`none`) | 3 |" in card


def test_they_are_counted_wherever_one_looks(workspace: Workspace) -> None:
    result = status(workspace)
    proposed = propose(workspace)

    assert (result.items, result.empty_texts, result.exact_duplicates) == (63, 3, 0)
    assert result.duplicates is not None
    assert result.duplicates.groups == 0
    assert sum(proposed.label_counts.values()) == 60
    assert "3 items have no text: nobody is asked about such an item, and" in said_by_status(
        workspace
    )
    assert "3 without a text, which are never asked" in report(workspace).read_text()


def said_by_status(workspace: Workspace) -> str:
    done = CliRunner().invoke(app, ["status", str(workspace.folder)])
    assert done.exit_code == 0, done.output
    as_json = CliRunner().invoke(app, ["status", str(workspace.folder), "--json"]).stdout
    assert json.loads(as_json)["empty_texts"] == 3
    return done.stdout
