"""A proposer answers what is not contested, and nothing is measured by it."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hilt.errors import ConfigError, DataError, UnknownNameError, WorkspaceError
from hilt.files import write_json
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import import_answers, record, simulate
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import BatchItem, Decision, Floats
from hilt.values import in_words, value_of

Open = Callable[[str], Workspace]


def visible_items(workspace: Workspace) -> list[BatchItem]:
    return [item for item in LoopState.read(workspace).batch(1).items if not item.blind]


def fused_rows(workspace: Workspace, items: list[BatchItem]) -> Floats:
    return np.asarray(workspace.fused.open()[[item.index for item in items]], dtype=np.float32)


def write_student(workspace: Workspace, rows: Floats) -> None:
    """Put an array where a student's proposal stands."""
    file = workspace.proposal("student")
    np.save(file.path, rows.astype(np.float16))
    write_json(file.maker_path, {"embeddings": workspace.embeddings.made_of()})


def test_every_item_that_is_sure_and_not_blind_is_answered(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    items = visible_items(workspace)
    tops = fused_rows(workspace, items).max(axis=1)

    result = oracle(workspace, least=0.95)

    rows = workspace.database.decisions()
    assert [row.item_id for row in rows] == [
        item.item_id for item, top in zip(items, tops, strict=True) if top >= 0.95
    ]
    assert result.answered == len(rows) > 0
    assert result.contested == {"unsure": len(items) - len(rows), "disagree": 0, "silent": 0}
    assert (result.blind, result.open_items) == (3, 12 - len(rows))


def test_a_tie_is_answered_by_no_order_of_labels(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    path = workspace.fused.path
    fused = np.array(workspace.fused.open())
    fused[:] = [0.4, 0.2, 0.4]
    np.save(path, fused)
    workspace.fused.maker_path.write_text("{}")

    result = oracle(workspace, least=0.3)

    assert result.answered == 0
    assert result.contested == {"unsure": 9, "disagree": 0, "silent": 0}


def test_an_answer_is_stored_as_a_machines(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)

    rows, outcomes = workspace.database.decisions(), LoopState.read(workspace).resolved
    proposed = {item.item_id: item.proposal[0].label for item in visible_items(workspace)}
    assert {row.item_id: in_words(row.value) for row in rows} == proposed
    assert {(row.reviewer, row.source, row.kind) for row in rows} == {
        ("machine:fused", "oracle", "machine")
    }
    assert {(row.blind, row.audit, row.shown_label, row.seconds) for row in rows} == {
        (False, False, None, None)
    }
    assert all(row.comment.startswith("fused probability 0.") for row in rows)
    assert all(each.machine and not each.audit and not each.by_people for each in outcomes)


def test_what_is_answered_is_not_asked_and_the_blind_items_are(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)

    current = LoopState.read(workspace).open_batch
    assert current is not None
    assert [item.blind for item in LoopState.read(workspace).undecided(current).items] == [True] * 3


def test_asking_the_oracle_again_adds_nothing(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)
    stored = workspace.database.decisions()

    again = oracle(workspace, least=0.5)
    added = workspace.database.add_decisions(
        [type(row)(**{k: v for k, v in vars(row).items() if k[0] != "_"}) for row in stored]
    )

    assert (again.answered, again.blind, added) == (0, 3, [])
    assert len(workspace.database.decisions()) == len(stored)


def test_a_dry_run_stores_nothing(small_workspace: Open) -> None:
    workspace = small_workspace("selected")

    shown = oracle(workspace, dry_run=True)

    assert workspace.database.decisions() == []
    stored = oracle(workspace)
    assert (shown.stored, stored.stored) == (False, True)
    assert shown.answers == stored.answers


def test_items_on_which_a_proposer_disagrees_are_left_to_people(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    items = visible_items(workspace)
    student = workspace.fused.open().copy()
    student[items[0].index] = np.roll(student[items[0].index], 1)
    write_student(workspace, student)

    result = oracle(workspace, least=0.5)

    assert result.contested == {"unsure": 0, "disagree": 1, "silent": 0}
    assert items[0].item_id not in {answer.item_id for answer in result.answers}
    assert result.answered == len(items) - 1


def test_who_abstains_contests_nothing_but_cannot_answer(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    items = visible_items(workspace)
    student = workspace.fused.open().copy()
    student[items[0].index] = np.nan
    write_student(workspace, student)

    by_student = oracle(workspace, proposer="student", least=0.5)
    by_zero_shot = oracle(workspace, proposer="zero_shot", least=0.5)

    assert by_student.contested == {"unsure": 0, "disagree": 0, "silent": 1}
    assert [answer.item_id for answer in by_zero_shot.answers] == [items[0].item_id]
    assert {row.reviewer for row in workspace.database.decisions()} == {
        "machine:student",
        "machine:zero_shot",
    }


def test_an_unknown_proposer_is_met_with_the_nearest_name(small_workspace: Open) -> None:
    with pytest.raises(
        UnknownNameError, match=r"'zero-shot'\. Did you mean: zero_shot\? Available: fused, zero"
    ):
        oracle(small_workspace("selected"), proposer="zero-shot")


@pytest.mark.parametrize("least", [0.0, 1.01, float("nan")])
def test_a_threshold_is_a_probability(small_workspace: Open, least: float) -> None:
    with pytest.raises(ConfigError, match="must be a probability above 0 and at most 1"):
        oracle(small_workspace("selected"), least=least)


def test_without_an_open_batch_there_is_nothing_to_answer(small_workspace: Open) -> None:
    with pytest.raises(WorkspaceError, match="no open batch; run `hilt cycle"):
        oracle(small_workspace("reviewed"))


def test_a_person_may_set_a_machines_answer_aside(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)
    first, second, *_ = visible_items(workspace)
    (tmp_path / "mine.csv").write_text(
        f"id,label,action\n{first.item_id},sport,\n{second.item_id},,skip\n"
    )

    import_answers(workspace, tmp_path / "mine.csv", reviewer="ann")

    outcomes = {outcome.index: outcome for outcome in LoopState.read(workspace).resolved}
    overruled, skipped = outcomes[first.index], outcomes[second.index]
    assert (overruled.value, overruled.reviewers, overruled.machine) == (
        value_of("sport"),
        ("ann",),
        False,
    )
    assert (skipped.value, skipped.machine) == (None, False)


def test_no_person_may_take_a_machines_name(small_workspace: Open, tmp_path: Path) -> None:
    workspace = small_workspace("selected")
    (tmp_path / "a.csv").write_text(
        "id,label,reviewer\ncat-0,animals,ann\ncow-0,animals,Machine:fused\n"
    )

    with pytest.raises(DataError, match="line 3: the reviewer is 'Machine:fused', but names that"):
        import_answers(workspace, tmp_path / "a.csv")
    with pytest.raises(DataError, match="machine decisions have names that begin with 'machine:'"):
        record(workspace, [Decision("cat-0", "skip", (), "ann", kind="machine")])


def test_a_machine_never_decides_a_blind_item(small_workspace: Open) -> None:
    workspace = small_workspace("selected")
    blind = next(item for item in LoopState.read(workspace).batch(1).items if item.blind)
    said = Decision(blind.item_id, "label", ("food",), "machine:mine", kind="machine")

    with pytest.raises(DataError, match="is blind: it measures accuracy, so only people decide it"):
        record(workspace, [said])


def test_measures_rest_on_the_same_labels_with_and_without_the_oracle(
    small_workspace: Open,
) -> None:
    workspace = small_workspace("selected")
    oracle(workspace, least=0.5)
    simulate(workspace, LoopState.read(workspace).undecided(select(workspace)))

    summary = train(workspace).summary

    assert (summary.human_labels, summary.audit_labels) == (3, 3)
    assert summary.audit["student"]["items"] == 3  # type: ignore[index]


def test_the_command_says_what_was_answered_and_what_is_next(small_workspace: Open) -> None:
    work = str(small_workspace("selected").folder)
    runner = CliRunner()

    dry = runner.invoke(app, ["oracle", work, "--least", "0.5", "--dry-run", "--json"])
    said = runner.invoke(app, ["oracle", work, "--least", "0.5"])
    state = runner.invoke(app, ["status", work])

    assert json.loads(dry.stdout)["contested"] == {"unsure": 0, "disagree": 0, "silent": 0}
    assert len(json.loads(dry.stdout)["answers"]) == 9
    assert "machine:fused answered 9; left to people: 0 contested and 3 blind" in said.stdout
    assert f"Next: hilt review {work}" in said.stdout
    assert "9 items have only the label of a machine" in state.stdout


def test_the_commands_of_its_page_run(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_workspace("selected").folder
    folder.rename(folder.with_name("work"))
    monkeypatch.chdir(folder.parent)
    page = (Path(__file__).resolve().parents[3] / "docs" / "oracle.md").read_text("utf-8")
    block = page.split("```sh\n")[1].split("```")[0]
    commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]

    codes = [CliRunner().invoke(app, command).exit_code for command in commands]

    assert codes == [0] * 5
