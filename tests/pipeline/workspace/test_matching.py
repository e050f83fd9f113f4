"""Answers find their items, whatever a spreadsheet did to the file."""

import csv
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

import hilt
from hilt.errors import ConfigError, DataError
from hilt.pipeline.duplicates.summary import summarise
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import export, import_answers, record
from hilt.pipeline.workspace.matching import contrary, same_text
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision, DecisionKind
from hilt.values import in_words

Open = Callable[[str], Workspace]
Row = dict[str, str]


@pytest.fixture
def workspace(small_workspace: Open) -> Workspace:
    return small_workspace("selected")


def sheet(workspace: Workspace, folder: Path) -> list[Row]:
    """The rows of an answered sheet."""
    export(workspace, folder / "sheet.csv", simulated=True)
    with (folder / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(rows: list[Row], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def swap_ids(rows: list[Row]) -> list[Row]:
    return [
        row | {"id": other["id"]} for row, other in zip(rows, [*rows[1:], rows[0]], strict=True)
    ]


DAMAGE: dict[str, Callable[[list[Row]], list[Row]]] = {
    "ids deleted": lambda rows: [row | {"id": ""} for row in rows],
    "ids all the same": lambda rows: [row | {"id": "4.46E+21"} for row in rows],
    "ids of each other": swap_ids,
    "no column of ids": lambda rows: [{k: row[k] for k in row if k != "id"} for row in rows],
    "ranks anew": lambda rows: [row | {"rank": str(40 + n)} for n, row in enumerate(rows)],
    "decimal commas": lambda rows: [
        row | {"batch": "1,0", "rank": row["rank"] + ",0", "seconds": "5,0"} for row in rows
    ],
    "capitals": lambda rows: [
        row | {"blind": row["blind"].upper(), "label": row["label"].upper(), "id": row["id"] + "x"}
        for row in rows
    ],
    "blanks in texts": lambda rows: [
        row | {"text": "  " + row["text"].replace(" ", "\n"), "id": ""} for row in rows
    ],
    "texts deleted": lambda rows: [row | {"text": ""} for row in rows],
    "blind denied": lambda rows: [row | {"blind": "false"} for row in rows],
    "all blind": lambda rows: [row | {"blind": "true"} for row in rows],
    "other proposals": lambda rows: [row | {"proposal": "food"} for row in rows],
    "twice": lambda rows: [*rows, *rows],
}


MENDED = {
    "ids deleted",
    "ids all the same",
    "ids of each other",
    "no column of ids",
    "capitals",
    "blanks in texts",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_sheet_costs_nothing(workspace: Workspace, tmp_path: Path, damage: str) -> None:
    rows = sheet(workspace, tmp_path)
    right = {row["id"]: row["label"] for row in rows}
    blind = {row.item_id for row in workspace.database.batch_items() if row.blind}
    path = save(DAMAGE[damage]([dict(row) for row in rows]), tmp_path / "back.csv")

    result = import_answers(workspace, path)

    stored = workspace.database.decisions()
    assert (result.added, result.rejected, result.open_items) == (12, (), 0)
    assert {row.item_id: in_words(row.value) for row in stored} == right
    assert {row.item_id for row in stored if row.audit} == blind
    assert result.mended == (12 if damage in MENDED else 0)


def test_a_line_of_another_pool_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    rows = [row | {"text": "quite another text stands here"} for row in sheet(workspace, tmp_path)]
    strange = [row | {"id": f"other-{n}"} for n, row in enumerate(rows)]

    with pytest.raises(DataError, match="line 2: the text is not that of the item"):
        import_answers(workspace, save(rows, tmp_path / "a.csv"))
    with pytest.raises(DataError, match="has the id 'other-0' and another text: 'quite another"):
        import_answers(workspace, save(strange, tmp_path / "b.csv"))
    assert workspace.database.decisions() == []


def accept(workspace: Workspace, folder: Path, blind: bool, **cells: str) -> None:
    rows = sheet(workspace, folder)
    row = next(each for each in rows if (each["blind"] == "true") == blind)
    row |= {"label": "", "action": "accept"} | cells
    import_answers(workspace, save([row], folder / "accepted.csv"))
    (said,) = workspace.database.decisions()
    assert said.value == said.seen


@pytest.mark.parametrize("proposal", ["food", "sport", "", "zzz"])
def test_accepting_means_what_was_shown(
    workspace: Workspace, tmp_path: Path, proposal: str
) -> None:
    accept(workspace, tmp_path, blind=False, proposal=proposal)


def test_nothing_blind_is_accepted(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the line is blind, so it has no proposal to accept"):
        accept(workspace, tmp_path, blind=True, proposal="food")
    assert workspace.database.decisions() == []


def test_what_was_never_shown_is_not_accepted(workspace: Workspace, tmp_path: Path) -> None:
    asked = {row.item_id for row in workspace.database.batch_items()}
    other = next(each for each in workspace.pool.ids(range(60)) if each not in asked)
    (tmp_path / "a.csv").write_text(f"id,action,proposal\n{other},accept,food\n")

    with pytest.raises(DataError, match="there is no proposal to accept"):
        import_answers(workspace, tmp_path / "a.csv")


def test_accepting_beside_another_label_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    row = next(row for row in workspace.database.batch_items() if not row.blind)
    other = "food" if row.proposal[0].label != "food" else "sport"
    (tmp_path / "a.csv").write_text(f"id,label,action\n{row.item_id},{other},accept\n")

    with pytest.raises(DataError, match=f"action accepts .* but label is '{other}'"):
        import_answers(workspace, tmp_path / "a.csv")


@pytest.mark.parametrize("text", [True, False])
def test_blind_is_what_came_by_the_batchs_own_sheet(
    workspace: Workspace, tmp_path: Path, text: bool
) -> None:
    rows = sheet(workspace, tmp_path)
    kept = ("text", "label") if text else ("id", "label")
    path = save([{key: row[key] for key in kept} for row in rows], tmp_path / "few.csv")

    import_answers(workspace, path)

    stored = workspace.database.decisions()
    assert len(stored) == 12
    assert not any(row.audit or row.blind for row in stored)
    asked_blind = {row.item_id for row in workspace.database.batch_items() if row.blind}
    assert all(row.shown_label is None for row in stored if row.item_id in asked_blind)


def test_blind_is_what_the_caller_gives_their_word_on(workspace: Workspace) -> None:
    blind, other, *_ = [row for row in workspace.database.batch_items() if row.blind]

    record(workspace, [Decision(blind.item_id, "label", ("food",), "ann", batch=1)])
    record(workspace, [Decision(other.item_id, "label", ("food",), "ann")], batch=1, blind=True)

    first, second = workspace.database.decisions()
    assert (first.blind, first.audit, first.source) == (False, False, "file")
    assert (second.blind, second.audit) == (True, True)
    assert second.source == "blind by the caller's word"
    with pytest.raises(DataError, match="name the batch too, with `batch`"):
        record(workspace, [Decision(blind.item_id, "skip", (), "ann")], blind=True)


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ("file", "blind by the caller's word"),
        ("slack", "blind by the caller's word; slack"),
        ("bulk", "blind by the caller's word; bulk"),
        ("blind by the caller's word; slack", "blind by the caller's word; slack"),
    ],
)
def test_the_word_that_answers_are_blind_is_noted_whatever_their_source(
    workspace: Workspace, source: str, stored: str
) -> None:
    item = next(row for row in workspace.database.batch_items() if row.blind)
    said = Decision(item.item_id, "label", ("food",), "ann", source=source)

    record(workspace, [said], batch=1, blind=True)

    (row,) = workspace.database.decisions()
    assert (row.source, row.blind) == (stored, True)


@pytest.mark.parametrize(("kind", "reviewer"), [("gold", "gold"), ("simulated", "simulated")])
def test_the_word_is_not_noted_of_answers_that_are_nobodys(
    workspace: Workspace, kind: DecisionKind, reviewer: str
) -> None:
    item = next(row for row in workspace.database.batch_items() if row.blind)
    said = Decision(item.item_id, "label", ("food",), reviewer, kind=kind)

    record(workspace, [said], batch=1, blind=True)

    (row,) = workspace.database.decisions()
    assert (row.source, row.blind) == ("file", True)


@pytest.mark.parametrize("blind", [1, 0, "no", None])
def test_blind_is_true_or_false(workspace: Workspace, blind: object) -> None:
    with pytest.raises(DataError, match="must be True or False"):
        record(workspace, [], batch=1, blind=blind)  # type: ignore[arg-type]


def test_what_settles_a_disagreement_is_not_blind(workspace: Workspace) -> None:
    item = next(row for row in workspace.database.batch_items() if row.blind)
    said = Decision(item.item_id, "label", ("food",), "ann", kind="adjudication")

    with pytest.raises(DataError, match="settles a disagreement"):
        record(workspace, [said], batch=1, blind=True)
    assert workspace.database.decisions() == []


def test_a_file_without_ids_is_matched_by_text(workspace: Workspace, tmp_path: Path) -> None:
    known = workspace.pool.texts([3, 7])
    rows = [{"text": f"{known[0]} ", "label": "food"}, {"text": known[1], "label": "Sport"}]

    import_answers(workspace, save(rows, tmp_path / "known.csv"))

    stored = {row.item_index: in_words(row.value) for row in workspace.database.decisions()}
    assert stored == {3: "food", 7: "sport"}


def test_contrary_and_unknown_texts_are_listed(workspace: Workspace, tmp_path: Path) -> None:
    text, other = workspace.pool.texts([3, 4])
    rows = [
        {"id": "1", "text": text, "label": "food"},
        {"id": "2", "text": "never seen", "label": "food"},
        {"id": "3", "text": text, "label": "sport"},
        {"id": "4", "text": other, "label": "sport"},
    ]
    path = save(rows, tmp_path / "known.csv")

    with pytest.raises(DataError) as caught:
        import_answers(workspace, path, match="text")

    told = str(caught.value)
    assert "line 2 (and 1 more: 4): item" in told
    assert "'food' on line 2; 'sport' on line 4" in told
    assert "line 3: no item of the pool has the text 'never seen'" in told
    assert import_answers(workspace, path, match="text", partial=True).added == 1
    with pytest.raises(DataError, match="no item of the pool has the id '1'; `--match text`"):
        import_answers(workspace, path)
    with pytest.raises(ConfigError, match=r"`match` is 'words'\. Allowed: auto, text"):
        import_answers(workspace, path, match="words")


def test_the_pools_names_of_columns_are_understood(
    new_workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    workspace = new_workspace()
    path = tmp_path / "pool.csv"
    path.write_text(path.read_text("utf-8").replace("id,text,label", "no,body,topic", 1), "utf-8")
    config = (tmp_path / "config.yaml").read_text("utf-8")
    for old, new in (
        ("id: id", "id: no"),
        ("text: text", "text: body"),
        ("label: label", "label: topic"),
    ):
        config = config.replace(old, new, 1)
    (tmp_path / "other.yaml").write_text(config, "utf-8")
    work = hilt.init(tmp_path / "other", tmp_path / "other.yaml")
    (tmp_path / "known.csv").write_text("No,topic\ncat-0,animals\n")

    assert import_answers(work, tmp_path / "known.csv").added == 1
    assert work.pool.fingerprint == workspace.pool.fingerprint


def test_the_same_answer_twice_counts_once(workspace: Workspace, tmp_path: Path) -> None:
    path = save([{"id": "cat-0", "label": "food"}] * 2, tmp_path / "a.csv")

    assert import_answers(workspace, path).added == 1


def test_different_answers_for_an_item_are_all_rejected(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [{"id": "cat-0", "label": "food", "action": ""} for _ in range(3)]
    rows[1]["id"], rows[2] = "soup-1", {"id": "cat-0", "label": "", "action": "skip"}

    result = import_answers(workspace, save(rows, tmp_path / "a.csv"), partial=True)

    assert [row.item_id for row in workspace.database.decisions()] == ["soup-1"]
    assert [each.line for each in result.rejected] == [2, 4]
    assert result.rejected[0].reason == (
        "item 'cat-0' has different answers: 'food' on line 2; skip on line 4. Keep one of them."
    )


def test_a_second_answer_that_differs_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    said = [Decision("cat-0", "label", ("food",), "ann"), Decision("soup-1", "skip", (), "ann")]
    record(workspace, said)
    again = [Decision("cat-0", "label", ("sport",), "ann"), said[1]]

    result = record(workspace, again)

    assert (result.added, result.unchanged, result.changed) == (1, 1, 1)
    assert record(workspace, [Decision("cat-0", "label", ("food",), "bob")]).changed == 0


@pytest.mark.parametrize("source", ["machine", "oracle", "inherited"])
def test_a_machines_label_is_never_a_persons(
    workspace: Workspace, tmp_path: Path, source: str
) -> None:
    rows = [
        {"id": "cat-0", "label": "food", "given_by": "fused proposal", "source": source},
        {"id": "soup-1", "label": "food", "given_by": "ann, bob", "source": "person"},
        {"id": "soup-2", "label": "", "given_by": "", "source": "none"},
    ]
    path = save(rows, tmp_path / "dataset.csv")

    with pytest.raises(DataError, match=f"line 2: .*no person gave its label .source: '{source}'"):
        import_answers(workspace, path)
    result = import_answers(workspace, path, partial=True)

    stored = [(row.item_id, row.reviewer, row.audit) for row in workspace.database.decisions()]
    assert stored == [("soup-1", "ann", False), ("soup-1", "bob", False)]
    assert (result.unanswered, len(result.rejected)) == (1, 1)


def test_numbers_of_labels_are_read_by_the_names_that_the_file_has(
    workspace: Workspace, tmp_path: Path
) -> None:
    import datasets

    named = datasets.ClassLabel(names=["sport", "animals"])
    features = datasets.Features({"id": datasets.Value("string"), "label": named})
    rows = {"id": ["cat-0", "golf-0"], "label": ["animals", "sport"]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "known.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "known.parquet")
    assert table.column("label").to_pylist() == [1, 0]
    bare = tmp_path / "bare.parquet"
    pyarrow.parquet.write_table(table.replace_schema_metadata({}), bare)

    with pytest.raises(DataError, match="'1' is not a label"):
        import_answers(workspace, bare)
    import_answers(workspace, tmp_path / "known.parquet")

    stored = {row.item_id: in_words(row.value) for row in workspace.database.decisions()}
    assert stored == {"cat-0": "animals", "golf-0": "sport"}


def test_texts_that_are_the_same_inherit_the_label_of_the_one_that_is_found(
    make_workspace_in: Callable[..., Workspace], tmp_path: Path
) -> None:
    copies = [
        ("copy-1", "The cat slept  in its den all day.", ""),
        ("copy-2", "THE CAT SLEPT in its den all day.", ""),
    ]
    work = make_workspace_in(tmp_path, extra=copies, test=False)
    hilt.propose(work)
    rows = [{"text": "The cat slept in its den all day.", "label": "animals"}]

    import_answers(work, save(rows, tmp_path / "known.csv"), match="text")

    assert [row.item_id for row in work.database.decisions()] == ["cat-0"]
    assert summarise(work, LoopState.read(work).item_labels).inherited == 2


def test_texts_are_compared_by_what_programs_leave_alone() -> None:
    assert same_text("x" * 1000, "x" * 40_000)
    assert not same_text("x" * 10, "x" * 40_000)
    assert not same_text("\N{GRINNING FACE}", "\N{CAT FACE}")
    assert not contrary("", "a text of words")
    assert not contrary("The cat sat on a mat", "cat sat on the mat!")
