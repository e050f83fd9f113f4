"""One decision for a whole group: handed on, taken back, overruled, contested, checked."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hilt.pipeline.duplicates.inheriting import (
    check,
    inherit,
    one_of_each,
    to_check,
)
from hilt.pipeline.releasing.release import release
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision
from hilt.values import value_of

Copies = Callable[..., Workspace]

# Two groups, 0 1 2 and 4 5, and 3 alone.
GROUPS = np.array([1, 1, 1, 3, 4, 4])


def said(index: int, label: str | None, decision: int = 1, **changes: Any) -> ItemLabel:
    values = {"audit": False, "reviewers": ("ann",), "decision": decision, **changes}
    return ItemLabel(index, f"id-{index}", value_of(label) if label else None, **values)


def representative(workspace: Workspace) -> str:
    (index,) = workspace.pool.index_of(["cat-0"])
    return workspace.pool.ids([int(workspace.groups[index])])[0]


def member(workspace: Workspace) -> str:
    return "copy-7" if representative(workspace) != "copy-7" else "copy-8"


def decide(workspace: Workspace, item_id: str, label: str, reviewer: str = "ann") -> None:
    record(workspace, [Decision(item_id, "label", (label,), reviewer)])


def inherited(workspace: Workspace) -> int:
    found = status(workspace).duplicates
    assert found is not None
    return found.inherited


def released(workspace: Workspace, folder: Path) -> dict[str, dict[str, Any]]:
    release(workspace, folder, force=True)
    rows = pq.read_table(folder / "dataset.parquet").to_pylist()
    return {row["id"]: row for row in rows}


# -- what is handed on ----------------------------------------------------------------------------


def test_undecided_items_inherit_the_label_of_their_group() -> None:
    result = inherit(GROUPS, [said(1, "a"), said(3, "b")])

    assert result.indices.tolist() == [0, 2]
    assert {origin.item_id for origin in result.origins} == {"id-1"}


def test_of_several_decided_items_the_first_is_the_one_inherited_from() -> None:
    result = inherit(GROUPS, [said(0, "a", decision=5), said(2, "a", decision=4)])

    assert [(result.indices.tolist(), each.item_id) for each in result.origins] == [([1], "id-2")]


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [said(1, None, decision=0)],
        [said(1, "a", machine=True)],
        [said(0, "a"), said(2, "b", decision=2)],
        [said(3, "a")],
    ],
    ids=["nothing", "a skip", "a machine's label", "contested", "an item alone"],
)
def test_nothing_is_inherited_from(outcomes: Sequence[ItemLabel]) -> None:
    assert len(inherit(GROUPS, outcomes)) == 0


def test_a_skipped_member_inherits_nothing_and_one_that_a_machine_labelled_does() -> None:
    outcomes = [said(1, "a"), said(0, None, decision=0), said(2, "b", machine=True)]

    assert inherit(GROUPS, outcomes).indices.tolist() == [2]


def test_the_representative_is_asked_or_the_first_that_is_free() -> None:
    everything, some = np.ones(6, dtype=bool), np.array([True, False, True, True, False, False])

    assert one_of_each(GROUPS, everything).tolist() == [1, 3, 4]
    assert one_of_each(GROUPS, some).tolist() == [0, 3]


# -- in a workspace -------------------------------------------------------------------------------


def test_a_decision_reaches_the_group_and_says_whose_it_was(copies: Copies, tmp_path: Path) -> None:
    workspace = copies()
    asked = representative(workspace)
    decide(workspace, asked, "animals")

    rows = released(workspace, tmp_path / "out")

    handed = {name: row for name, row in rows.items() if row["source"] == "inherited"}
    assert len(handed) == 36 == inherited(workspace)
    assert rows[asked]["source"] == "person"
    assert {row["label"] for row in handed.values()} == {"animals"}
    assert {row["given_by"] for row in handed.values()} == {"ann"}
    assert {row["inherited_from"] for row in handed.values()} == {asked}
    assert {row["decisions"] for row in handed.values()} == {0}
    assert not any(row["inherited_from"] for name, row in rows.items() if name not in handed)
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "(`inherited`) | 36 |" in card
    assert "No inherited label has been checked yet." in card


def test_an_inherited_label_is_no_human_label(copies: Copies) -> None:
    workspace = copies()
    for item_id, label in ((representative(workspace), "animals"), ("soup-0", "food")):
        decide(workspace, item_id, label)

    result = status(workspace)
    summary = train(workspace).summary

    assert (result.human_labels, result.audit_labels, result.machine_labels) == (2, 0, 0)
    assert result.label_counts == {"animals": 1, "food": 1}
    assert summary.human_labels == 2


def test_taking_a_decision_back_takes_the_inherited_labels_back(copies: Copies) -> None:
    workspace = copies()
    decide(workspace, representative(workspace), "animals")
    record(workspace, [Decision(representative(workspace), "skip", (), "ann")])

    assert inherited(workspace) == 0


def test_another_label_for_the_one_that_was_asked_is_another_for_all(
    copies: Copies, tmp_path: Path
) -> None:
    workspace = copies()
    decide(workspace, representative(workspace), "animals")
    decide(workspace, representative(workspace), "sport")

    assert released(workspace, tmp_path / "out")[member(workspace)]["label"] == "sport"


def test_a_member_that_is_decided_itself_inherits_no_more(copies: Copies, tmp_path: Path) -> None:
    workspace = copies()
    decide(workspace, representative(workspace), "animals")
    decide(workspace, member(workspace), "animals", "bob")

    row = released(workspace, tmp_path / "out")[member(workspace)]

    assert (row["source"], row["given_by"]) == ("person", "bob")
    assert inherited(workspace) == 35


def test_a_contested_group_falls_apart_and_its_items_are_asked(
    copies: Copies, tmp_path: Path
) -> None:
    workspace = copies(audited=0, batch={"near_duplicate": 1.0})
    decide(workspace, representative(workspace), "animals")
    decide(workspace, member(workspace), "sport", "bob")

    rows = released(workspace, tmp_path / "out")
    asked = {item.item_id for item in select(workspace, 98).items}

    assert inherited(workspace) == 0
    assert {row["source"] for row in rows.values()} == {"person", "machine"}
    assert len([item_id for item_id in asked if item_id.startswith("copy-")]) >= 30
    assert asked.isdisjoint({representative(workspace), member(workspace)})


def test_a_text_that_two_people_label_differently_hands_nothing_on_and_is_not_asked_again(
    new_workspace: Callable[..., Workspace],
) -> None:
    from hilt.pipeline.proposing.propose import propose

    twins = [(f"twin-{i}", "The CAT slept  in its den all day.", "animals") for i in range(4)]
    workspace = new_workspace(extra=twins, audit=0.0)
    propose(workspace)
    decide(workspace, "twin-0", "animals")
    decide(workspace, "twin-1", "sport")

    asked = {item.item_id for item in select(workspace, 60).items}

    assert inherited(workspace) == 0
    assert asked.isdisjoint({"cat-0", "twin-2", "twin-3"})


def test_near_duplicates_switched_off_inherit_no_more(copies: Copies) -> None:
    decide(copies(), representative(copies()), "animals")

    assert inherited(copies()) == 36
    assert inherited(copies(near=False)) == 0


def test_a_machine_hands_nothing_on(copies: Copies) -> None:
    workspace = copies()
    said = Decision(
        representative(workspace), "label", ("animals",), "machine:fused", kind="machine"
    )
    record(workspace, [said])

    assert status(workspace).machine_labels == 1
    assert inherited(workspace) == 0


def test_only_the_representative_of_a_group_is_asked(copies: Copies) -> None:
    workspace = copies(batch={"near_duplicate": 1.0})

    asked = {item.item_id for item in select(workspace, 98).items}

    assert len(asked) == 62
    assert {item_id for item_id in asked if item_id in group(workspace)} == {
        representative(workspace)
    }


def test_after_a_decision_nobody_of_the_group_is_asked(copies: Copies) -> None:
    workspace = copies(audited=0)
    decide(workspace, representative(workspace), "animals")

    assert group(workspace).isdisjoint(item.item_id for item in select(workspace, 98).items)


def group(workspace: Workspace) -> set[str]:
    groups = np.asarray(workspace.groups)
    (index,) = workspace.pool.index_of(["cat-0"])
    return set(workspace.pool.ids(np.flatnonzero(groups == groups[index])))


# -- checks ---------------------------------------------------------------------------------------


def test_a_share_of_what_inherits_is_asked_blind(copies: Copies) -> None:
    workspace = copies(audited=0.5)
    decide(workspace, representative(workspace), "animals")

    batch = select(workspace, 10)

    checks = [item for item in batch.items if item.reason == "inherited"]
    assert len(checks) == 1  # no two of one group in a batch
    assert checks[0].blind
    assert checks[0].item_id in group(workspace) - {representative(workspace)}
    assert len(batch) == 10


def test_what_is_kept_for_the_audit_is_left_to_it(copies: Copies) -> None:
    workspace = copies(audited=1.0, batch={"audit": 1.0})
    decide(workspace, representative(workspace), "animals")

    assert {item.reason for item in select(workspace, 20).items} == {"audit"}


def test_a_check_is_counted_but_not_as_audit(copies: Copies) -> None:
    workspace = copies(audited=0.5)
    decide(workspace, representative(workspace), "animals")
    for _ in range(2):
        batch = select(workspace, 5, new=True)
        (item,) = (item for item in batch.items if item.reason == "inherited")
        said = Decision(item.item_id, "label", ("animals",), "ann", batch.number)
        record(workspace, [said], blind=True)

    result = status(workspace)

    assert result.duplicates is not None
    found = result.duplicates.check
    assert found is not None
    assert (found.checked, found.right, found.high) == (2, 2, 1.0)
    assert not found.doubtful
    assert (result.human_labels, result.audit_labels) == (3, 0)
    assert train(workspace).summary.audit is None


def test_wrong_inherited_labels_are_pointed_out(copies: Copies, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from hilt.pipeline.cli import app

    workspace = copies(audited=0.5)
    decide(workspace, representative(workspace), "animals")
    batch = select(workspace, 5)
    (item,) = (item for item in batch.items if item.reason == "inherited")
    said = Decision(item.item_id, "label", ("sport",), "ann", batch.number)
    record(workspace, [said], blind=True)

    out = CliRunner().invoke(app, ["status", str(workspace.folder)]).stdout
    released(workspace, tmp_path / "out")

    assert (
        "Inherited labels that were right when checked blind: 0 of 1 (95 % interval 0.0% to 79.3%)"
        in out
    )
    assert "raise `duplicates.cosine` or `duplicates.overlap`" in out
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "0 of 1 that people checked blind were right" in card


def test_an_audit_item_of_a_labelled_group_checks_too() -> None:
    first, later = said(1, "a", decision=1), said(0, "b", decision=2, audit=True, blind=True)

    found = check(GROUPS, [later, first])

    assert found is not None
    assert (found.checked, found.right) == (1, 0)


def test_two_wrong_labels_of_one_group_are_two() -> None:
    wrong = [said(index, "b", decision=index + 2, blind=True) for index in (0, 2)]

    found = check(GROUPS, [said(1, "a"), *wrong])

    assert found is not None
    assert (found.checked, found.right) == (2, 0)


def test_what_was_seen_with_a_proposal_checks_nothing() -> None:
    assert check(GROUPS, [said(1, "a"), said(0, "a", decision=2)]) is None


def test_the_items_to_check_were_drawn_before_they_inherited() -> None:
    groups = np.zeros(4000, dtype=np.int64)
    whole = inherit(groups, [said(0, "a")])
    part = inherit(groups[:2000], [said(0, "a")])
    drawn = np.random.default_rng(1).random(3999)

    asked = to_check(whole, drawn, 0.05)

    assert 150 < len(asked) < 250
    assert len(set(asked.tolist())) == len(asked)
    assert [i for i in asked.tolist() if i < 2000] == to_check(part, drawn[:1999], 0.05).tolist()
    assert len(to_check(whole, drawn, 0.0)) == 0
    assert len(to_check(whole, drawn, 1.0)) == 3999
