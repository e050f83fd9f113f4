"""A workspace whose pool grows: nothing of it moves, and what is new is told from what was."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hilt
from hilt.errors import WorkspaceError
from hilt.pipeline.cli import app
from hilt.pipeline.cycle import cycle
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reporting.status import status
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.headline import accuracy_lines, told_in_full
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.growing import append, say_changes, source_is_as_read
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from tests.conftest import MakeWorkspace

PAST = Path(__file__).parents[2] / "past" / "workspace"


def add_rows(folder: Path, count: int, first: int = 0) -> None:
    kinds = [("goal", "sport"), ("soup", "food"), ("dog", "animals")]
    with (folder / "pool.csv").open("a", encoding="utf-8") as file:
        for number in range(first, first + count):
            what, label = kinds[number % 3]
            file.write(f"new-{number},The {what} number {number} was the best so far.,{label}\n")


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def audited(make_workspace_in: MakeWorkspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 40 audit answers and a student of them; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("audited")
    workspace = make_workspace_in(folder, audit=1.0, test=False, student={"effort": "quick"})
    propose(workspace)
    simulate(workspace, select(workspace, 40))
    train(workspace)
    propose(workspace)
    workspace.database.close()
    return folder


@pytest.fixture
def grown(audited: Path, tmp_path: Path) -> Workspace:
    """A copy of it, with 500 rows appended."""
    folder = shutil.copytree(audited, tmp_path / "project")
    add_rows(folder, 500)
    config = (folder / "work" / "hilt.yaml").read_text().replace(str(audited), str(folder))
    (folder / "work" / "hilt.yaml").write_text(config)
    return append(folder / "work").workspace


def order_of_audit(workspace: Workspace) -> list[int]:
    order: list[int] = np.argsort(
        LoopState.read(workspace).audit_order.numbers, kind="stable"
    ).tolist()
    return order


def test_the_audit_goes_on_as_it_was(audited: Path, grown: Workspace) -> None:
    before = open_workspace(audited / "work")

    assert len(grown.pool) == 560
    assert grown.pool.ids(slice(60)) == before.pool.ids(slice(None))
    assert [i for i in order_of_audit(grown) if i < 60] == order_of_audit(before)
    assert [(o.index, o.value) for o in LoopState.read(grown).item_labels if o.audit] == [
        (o.index, o.value) for o in LoopState.read(before).item_labels if o.audit
    ]


def test_figures_of_the_pool_before_stay_and_say_so(audited: Path, grown: Workspace) -> None:
    before, after = status(open_workspace(audited / "work")), status(grown)

    assert after.audit_labels == before.audit_labels == 40
    assert before.training is not None
    assert after.training is not None
    assert after.training.audit == before.training.audit
    assert before.training.audited_items == before.training.pool_items == 60
    assert (after.training.audited_items, after.training.pool_items) == (60, 560)
    assert "of the pool before" not in " ".join(accuracy_lines(before.training))
    assert (
        "This is of the pool before: of the 500 items that were appended to its 60, too few have"
        " been audited." in accuracy_lines(after.training)[-1]
    )
    assert after.next_step == f"hilt propose {grown.folder}"


def test_the_appended_catch_up_and_only_then_the_figure_is_of_all(grown: Workspace) -> None:
    propose(grown)
    numbers = LoopState.read(grown).audit_order.numbers
    asked = {outcome.index for outcome in LoopState.read(grown).item_labels}
    due = [i for i in range(60, 560) if numbers[i] <= numbers[sorted(asked)].max()]

    batch = select(grown, len(due) - 1)
    simulate(grown, batch)
    half_way = LoopState.read(grown).item_labels
    select(grown, 1)
    simulate(grown, select(grown))
    caught_up = LoopState.read(grown).item_labels
    train(grown)

    assert {grown.pool.find([i.item_id])[i.item_id] for i in batch.items} < set(due)
    assert LoopState.read(grown).audit_order.audited_items(half_way) == 60
    assert sum(outcome.audit for outcome in half_way) == 40
    assert LoopState.read(grown).audit_order.audited_items(caught_up) == 560
    assert sum(outcome.audit for outcome in caught_up) == 40 + len(due)
    told = told_in_full(LoopState.read(grown), grown.database.trainings()[-1])
    assert "of the pool before" not in accuracy_lines(told)[-1]


def test_what_was_asked_out_of_turn_does_not_let_the_audit_stand_for_the_appended(
    grown: Workspace,
) -> None:
    propose(grown)
    numbers = LoopState.read(grown).audit_order.numbers
    asked = [outcome.index for outcome in LoopState.read(grown).item_labels]
    due = int((numbers[60:] <= numbers[asked].max()).sum())

    batch = select(grown, due + 2)
    skipped = min(
        (item for item in batch.items if numbers[item.index] > numbers[asked].max()),
        key=lambda item: numbers[item.index],
    )  # the last one has its answer before its turn
    simulate(grown, replace(batch, items=tuple(i for i in batch.items if i != skipped)))
    state = LoopState.read(grown)
    summary = train(grown).summary

    assert sum(row.reason == "audit" for row in state.items_of(state.last_batch)) == due + 2
    assert state.audited_items == summary.audited_items == 60
    assert len(state.decisions) == 40 + due + 1
    assert sum(each.audit for each in state.item_labels) == summary.audit_labels == 40


def test_appended_copies_of_audited_texts_are_no_part_of_the_pool_before(
    audited: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(audited, tmp_path / "project")
    before = open_workspace(audited / "work")
    text = before.pool.texts(
        [next(o.index for o in LoopState.read(before).item_labels if o.audit)]
    )[0]
    add_rows(folder, 200)
    with (folder / "pool.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"copy-{number},{text},\n" for number in range(200))
    config = (folder / "work" / "hilt.yaml").read_text().replace(str(audited), str(folder))
    (folder / "work" / "hilt.yaml").write_text(config)
    grown = append(folder / "work").workspace
    propose(grown)

    simulate(grown, select(grown, 20))
    summary = train(grown).summary

    assert max(LoopState.read(grown).audit_order.copies) >= 260
    assert summary.audited_items == 60
    assert summary.audit["student"]["items"] == summary.audit_labels == 40  # type: ignore[index]


def test_what_was_made_for_the_items_before_is_kept(
    grown: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {
        file.path.name: np.array(file.open())
        for file in (grown.embeddings, grown.proposal("zero_shot"), grown.proposal("student"))
    }
    embedded: list[str] = []
    from hilt.proposers.models.sentence_embedder import SentenceEmbedder

    embed = SentenceEmbedder.embed

    def counting(self: SentenceEmbedder, texts: list[str]) -> np.ndarray:
        embedded.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(SentenceEmbedder, "embed", counting)
    result = propose(grown)

    assert "embeddings" in result.made
    assert not set(embedded) & set(grown.pool.texts(slice(60)))
    for name, rows in before.items():
        file = grown.folder / ("" if name == "embeddings.npy" else "proposals") / name
        now = np.load(file)
        assert len(now) == 560
        assert np.array_equal(now[:60], rows)
        assert np.isfinite(now).all()
    assert len(grown.fused.open()) == 560
    assert propose(grown).made == ()


def test_a_grown_workspace_goes_through_the_loop(grown: Workspace, tmp_path: Path) -> None:
    propose(grown)
    batch = cycle(grown, partial=True)
    simulate(grown, batch)
    train(grown)
    hilt.release(grown, tmp_path / "out")
    hilt.report(grown, tmp_path / "report.html")

    assert "of the pool before" in (tmp_path / "report.html").read_text(encoding="utf-8")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "too few have" in " ".join(card.split())


@pytest.mark.parametrize("command", ["status", "agreement", "decisions", "report"])
def test_between_appending_and_proposing_a_workspace_can_be_read(
    grown: Workspace, command: str, tmp_path: Path
) -> None:
    more = ["--output", tmp_path / "report.html"] if command == "report" else []
    run(command, grown.folder, *more)


@pytest.mark.parametrize("command", ["select", "train", "cycle", "release", "duplicates"])
def test_between_appending_and_proposing_what_needs_proposals_says_so(
    grown: Workspace, command: str, tmp_path: Path
) -> None:
    more = [tmp_path / "out"] if command == "release" else []
    result = CliRunner().invoke(app, [str(w) for w in (command, grown.folder, *more)])

    assert result.exit_code == 2, result.output
    assert f"hilt propose {grown.folder}" in result.output


def test_an_older_workspace_keeps_the_order_of_its_audit(tmp_path: Path) -> None:
    work = open_workspace(shutil.copytree(PAST, tmp_path / "work"))
    before, items = order_of_audit(work), len(work.pool)
    config = yaml_with_pool(work, tmp_path)

    after = append(work.folder, config).workspace

    assert len(after.pool) == items + 30
    assert [i for i in order_of_audit(after) if i < items] == before


def yaml_with_pool(work: Workspace, folder: Path) -> Path:
    """The configuration of a workspace, with a pool of thirty new rows."""
    section = work.config.pool
    names = [name for name in (section.id, section.text, section.label) if name]
    rows = [
        ",".join({section.id: f"n{i}", section.text: f"a new text {i}"}.get(n, "") for n in names)
        for i in range(30)
    ]
    (folder / "more.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    text = (work.folder / "hilt.yaml").read_text().replace(section.path, str(folder / "more.csv"))
    (folder / "more.yaml").write_text(text)
    return folder / "more.yaml"


def test_of_a_configuration_that_names_more_rows_the_pool_alone_is_read(
    grown: Workspace, tmp_path: Path
) -> None:
    more = yaml_with_pool(grown, tmp_path)
    more.write_text(more.read_text() + "\nseed: 7\n")

    after = append(grown.folder, more)

    assert (after.new, after.workspace.config.seed) == (30, grown.config.seed)


def test_rows_of_another_project_are_not_appended(grown: Workspace, tmp_path: Path) -> None:
    more = yaml_with_pool(grown, tmp_path)
    more.write_text(more.read_text().replace("food:", "drink:"))

    with pytest.raises(WorkspaceError, match=r"its labels are not those of .* \(animals, food, sp"):
        append(grown.folder, more)


def test_init_again_says_what_has_changed(tmp_path: Path, make_workspace_in: MakeWorkspace) -> None:
    work = make_workspace_in(tmp_path, test=False).folder
    config = tmp_path / "config.yaml"
    pool = tmp_path / "pool.csv"
    original = pool.read_text(encoding="utf-8")

    assert "has changed" not in run("init", work, "--config", config)
    assert "has changed" not in run("init", work)
    add_rows(tmp_path, 2)
    assert "2 rows are new" in run("init", work)
    told = run("init", work, "--config", config)
    assert "2 rows are new; add them with `hilt init" in told
    assert json.loads(run("init", work, "-c", config, "--json"))["items"] == 60
    assert "2 rows were new, and appended" in run("init", work, "--append")
    assert "has changed" not in run("init", work, "--config", config)
    pool.write_text("\n".join(original.splitlines()[:-1]) + "\n", encoding="utf-8")
    assert "3 items are gone from it, and kept here" in run("init", work, "-c", config)
    pool.write_text("no,columns\n1,2\n", encoding="utf-8")
    assert "cannot be read now" in run("init", work, "-c", config)
    pool.unlink()
    assert "no longer exists. Nothing is lost" in run("init", work, "-c", config)


def test_a_file_that_was_touched_alone_has_not_changed(
    tmp_path: Path, make_workspace_in: MakeWorkspace
) -> None:
    work = make_workspace_in(tmp_path, test=False)
    (tmp_path / "pool.csv").touch()

    assert not source_is_as_read(work)
    assert say_changes(work) == ""
    assert source_is_as_read(open_workspace(work.folder))


def test_a_source_that_moved_is_looked_at_where_the_configuration_has_it_now(
    tmp_path: Path, make_workspace_in: MakeWorkspace
) -> None:
    work = make_workspace_in(tmp_path, test=False)
    before, now = tmp_path / "pool.csv", tmp_path / "moved.csv"
    before.rename(now)
    assert "no longer exists. Nothing is lost" in say_changes(work)
    config = work.folder / "hilt.yaml"
    config.write_text(config.read_text("utf-8").replace(str(before), str(now)), "utf-8")

    moved = open_workspace(work.folder)
    assert say_changes(moved) == ""
    now.write_text("\n".join(now.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    assert say_changes(moved).startswith(f"{now} has changed since the pool was read. 1 item is")


def test_status_says_that_the_source_has_changed(
    tmp_path: Path, make_workspace_in: MakeWorkspace
) -> None:
    work = make_workspace_in(tmp_path, test=False).folder
    assert "has changed" not in run("status", work)
    add_rows(tmp_path, 1)
    said = run("status", work)
    assert "has changed since the pool was read; add its new rows" in said
    assert "is gone" not in said
    (tmp_path / "pool.csv").unlink()
    said = run("status", work)
    assert (
        f"{tmp_path / 'pool.csv'}, from which the pool was read, no longer exists. Nothing is"
        in said
    )
    assert "has changed" not in said


def test_status_says_how_many_items_were_not_compared_yet(
    tmp_path: Path, make_workspace_in: MakeWorkspace
) -> None:
    copies = [(f"copy-{n}", "The cat slept in its den all day!", "animals") for n in range(2)]
    work = make_workspace_in(tmp_path, test=False, extra=copies)
    propose(work)
    assert "not known yet" not in run("status", work.folder)
    add_rows(tmp_path, 3)
    grown = append(work.folder).workspace

    said = run("status", grown.folder)

    assert "3 items are in 1 group of near-duplicates" in said
    line = f"`hilt propose {work.folder}`"
    assert (
        f"The near-duplicates of 3 items that were appended are not known yet; run {line}." in said
    )
    propose(grown)
    assert "not known yet" not in run("status", grown.folder)


def test_decisions_of_before_stay_with_their_items(
    small_workspace: Callable[[str], Workspace], tmp_path: Path
) -> None:
    work = small_workspace("two_cycles")
    before = [(row.id, row.label) for row in hilt.decisions(work)]
    config = yaml_with_pool(work, tmp_path)
    with pytest.raises(WorkspaceError, match=r"another configuration.* to add more rows, use"):
        init(work.folder, config)

    after = append(work.folder, config).workspace

    assert [(row.id, row.label) for row in hilt.decisions(after)] == before
    propose(after)
    assert propose(after).made == ()
