import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError

from hilt.errors import WorkspaceError
from hilt.pipeline.workspace import database as store_module
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.labels import ItemLabel, resolve_all
from hilt.pipeline.workspace.tables import SCHEMA_VERSION, BatchItemRow, DecisionRow, TrainingRow
from hilt.tasks.single import Single
from hilt.types import Decision, Part
from hilt.values import candidates_from_json, in_words, value_of
from tests.conftest import summary_of

LABELS = ["sport", "world"]
ANSWERS = Single(tuple(LABELS)).answers
PROPOSAL = candidates_from_json([["world", 0.75], ["sport", 0.25]])
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    store = Database(path)
    store.create("pool", LABELS)
    yield store
    store.close()


def said(index: int, label: str | None, reviewer: str = "ann", **fields: Any) -> DecisionRow:
    action = "skip" if label is None else "label"
    values: dict[str, Any] = {
        "action": action,
        "value": () if label is None else value_of(label),
        "comment": "",
        "batch": None,
        "blind": False,
        "audit": False,
        "source": "file",
        "kind": "review",
        "decided_at": NOON,
    }
    return DecisionRow(
        item_index=index, item_id=f"i{index}", reviewer=reviewer, **(values | fields)
    )


def by_machine(index: int, label: str) -> DecisionRow:
    return said(index, label, "machine:fused", source="oracle", kind="machine")


def batch_item(rank: int, index: int, **fields: Any) -> BatchItemRow:
    values: dict[str, Any] = {
        "reason": "uncertain",
        "score": 0.5,
        "blind": False,
        "proposal": PROPOSAL,
    }
    return BatchItemRow(rank=rank, item_index=index, item_id=f"i{index}", **(values | fields))


def outcomes_of(database: Database) -> list[ItemLabel]:
    return resolve_all(database.decisions(), ANSWERS)


def resolved(database: Database) -> dict[int, str | None]:
    return {outcome.index: told(outcome) for outcome in outcomes_of(database)}


def told(outcome: ItemLabel) -> str | None:
    return None if outcome.value is None else in_words(outcome.value)


def test_the_database_is_sqlite_in_wal_mode(database: Database, path: Path) -> None:
    connection = sqlite3.connect(path)
    mode = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()

    assert mode == ("wal",)


@pytest.mark.parametrize("name", ["a b", "a?b=c", "a#b", "100%41", "ä:@"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    store = Database(tmp_path / name / "state.db")
    store.create("pool", LABELS)
    store.close()

    assert (tmp_path / name / "state.db").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET action = 'skip'",
        "DELETE FROM decision",
        "UPDATE batch SET cycle = 7",
        "DELETE FROM batch",
        "UPDATE batch_item SET blind = 1",
        "DELETE FROM batch_item",
        "UPDATE training SET last_decision = 0",
        "DELETE FROM training",
    ],
)
def test_what_is_written_cannot_be_changed(database: Database, path: Path, statement: str) -> None:
    database.add_batch(1, {"kind": "hybrid"}, [batch_item(0, 3)])
    database.add_decisions([said(3, "sport")])
    database.add_training(
        TrainingRow(
            cycle=1, fingerprint="f", last_decision=1, summary=summary_of(), created_at=NOON
        )
    )
    connection = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_creating_again_changes_nothing(database: Database) -> None:
    database.add_decisions([said(0, "sport")])

    database.create("pool", LABELS)

    assert len(database.decisions()) == 1


def test_another_pool_is_refused(database: Database) -> None:
    with pytest.raises(WorkspaceError, match="pool is not the one"):
        database.check(["another"], LABELS)


@pytest.mark.parametrize("labels", [["sport"], ["world", "sport"], ["sport", "world", "x"]])
def test_other_labels_are_refused(database: Database, labels: list[str]) -> None:
    with pytest.raises(WorkspaceError, match=r"made \(sport, world\); restore them"):
        database.create("pool", labels)


def test_what_a_newer_hilt_wrote_is_refused(database: Database, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE project SET schema_version = ?", (SCHEMA_VERSION + 1,))
    connection.commit()
    connection.close()

    known = SCHEMA_VERSION
    with pytest.raises(WorkspaceError, match=rf"\(schema {known + 1}, this one supports {known}\)"):
        database.check(["pool"], LABELS)


@pytest.fixture
def old_path(path: Path) -> Path:
    """A database as schema 1 left it, with a decision."""
    store = Database(path)
    store.create("pool", LABELS)
    store.add_decisions([said(0, "sport")])
    store.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE claim; DROP TABLE reviewer; DROP INDEX decision_key;"
        "ALTER TABLE decision DROP COLUMN withdraws; ALTER TABLE decision DROP COLUMN key;"
        "ALTER TABLE decision DROP COLUMN kind; ALTER TABLE batch DROP COLUMN extends;"
        "ALTER TABLE batch_item DROP COLUMN why; ALTER TABLE batch_item DROP COLUMN answer;"
        "ALTER TABLE decision DROP COLUMN shown;"
        "ALTER TABLE project DROP COLUMN task; ALTER TABLE project DROP COLUMN medium;"
        "UPDATE project SET schema_version = 1"
    )
    connection.commit()
    connection.close()
    return path


def test_what_an_older_hilt_wrote_is_taken_for_peoples(old_path: Path) -> None:
    store = Database(old_path)
    store.check(["pool"], LABELS)
    store.check(["pool"], LABELS)

    assert [(told(o), o.machine, o.by_people) for o in outcomes_of(store)] == [
        ("sport", False, True)
    ]
    assert len(store.add_decisions([said(0, "sport"), by_machine(1, "world")])) == 1
    store.close()


@pytest.mark.parametrize("name", ["task", "medium"])
def test_a_workspace_keeps_its_task_and_its_medium(old_path: Path, name: str) -> None:
    store = Database(old_path)
    made_for = {"task": "single", "medium": "text"}[name]

    with pytest.raises(WorkspaceError, match=f"The {name} .* 'm:C', .* made for '{made_for}';"):
        store.check(["pool"], LABELS, **{name: "m:C"})
    with pytest.raises(WorkspaceError, match=f"The {name} .* 'm:C', .* made for '{made_for}';"):
        store.create("pool", LABELS, **{name: "m:C"})
    store.check(["pool"], LABELS)
    store.close()


def test_an_older_database_of_another_pool_stays_as_it_is(old_path: Path) -> None:
    store = Database(old_path)

    with pytest.raises(WorkspaceError, match="pool is not the one"):
        store.check(["another"], LABELS)

    store.close()
    connection = sqlite3.connect(old_path)
    assert connection.execute("SELECT schema_version FROM project").fetchall() == [(1,)]
    connection.close()


def test_the_same_answer_counts_again_when_a_later_batch_asks_again(database: Database) -> None:
    for _ in range(2):
        database.add_batch(1, {"kind": "hybrid"}, [batch_item(0, 3)])
    first, again = said(3, "sport", batch=1), said(3, "sport", batch=2)

    assert len(database.add_decisions([first])) == 1
    assert len(database.add_decisions([again])) == 1
    assert database.add_decisions([said(3, "sport", batch=1), said(3, "sport", batch=2)]) == []


def test_why_an_item_was_picked_is_kept(database: Database) -> None:
    database.add_batch(
        1, {"kind": "hybrid"}, [batch_item(0, 3, why={"covers": 5}), batch_item(1, 4)]
    )

    assert [row.why for row in database.batch_items(1)] == [{"covers": 5}, None]


def test_several_processes_may_open_an_older_database_at_once(old_path: Path) -> None:
    stores = [Database(old_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda store: store.check(["pool"], LABELS), stores))

    assert [store.last_decision() for store in stores] == [1] * 4
    assert [row.kind for store in stores for row in store.decisions()] == ["review"] * 4
    for store in stores:
        store.close()


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.db").touch()
    store = Database(tmp_path / "other.db")

    with pytest.raises(WorkspaceError, match="contains no state of hilt"):
        store.check(["pool"], LABELS)
    store.close()


def test_batches_are_numbered_and_read_in_their_order(database: Database) -> None:
    first = database.add_batch(0, {"kind": "hybrid"}, [batch_item(1, 8), batch_item(0, 9)])
    second = database.add_batch(1, {"kind": "margin"}, [batch_item(0, 8)])

    assert (first.number, second.number) == (1, 2)
    assert database.batch_numbers() == [1, 2]
    assert [(row.batch, row.item_index) for row in database.batch_items()] == [
        (1, 9),
        (1, 8),
        (2, 8),
    ]
    assert [row.item_index for row in database.batch_items(1)] == [9, 8]
    assert database.batch_items(1)[0].proposal == PROPOSAL


def test_a_batch_with_an_item_twice_is_not_stored_at_all(database: Database) -> None:
    with pytest.raises(DatabaseError):
        database.add_batch(0, {}, [batch_item(0, 8), batch_item(1, 8)])

    assert database.batch_numbers() == []


def test_reading_the_same_decisions_twice_adds_nothing(database: Database) -> None:
    first = database.add_decisions([said(0, "sport"), said(1, None), said(0, "world", "bob")])
    again = database.add_decisions([said(0, "sport"), said(1, None), said(0, "world", "bob")])

    assert (len(first), len(again)) == (3, 0)
    assert database.last_decision() == 3


def test_changing_ones_mind_and_back_is_three_decisions(database: Database) -> None:
    added = [database.add_decisions([said(0, label)]) for label in ("sport", "world", "sport")]

    assert [len(rows) for rows in added] == [1, 1, 1]
    said_so = [in_words(row.value) for row in database.decisions()]
    assert said_so == ["sport", "world", "sport"]
    assert resolved(database) == {0: "sport"}


@pytest.mark.parametrize("most_named", [0, 1000])
def test_decisions_are_compared_however_many_come(
    database: Database, monkeypatch: pytest.MonkeyPatch, most_named: int
) -> None:
    monkeypatch.setattr(store_module, "MAX_NAMED", most_named)
    database.add_decisions([said(0, "sport"), said(1, "sport")])

    assert len(database.add_decisions([said(1, "sport"), said(2, "sport"), said(0, "world")])) == 2


def test_a_new_comment_is_a_new_decision(database: Database) -> None:
    database.add_decisions([said(0, "sport")])

    assert len(database.add_decisions([said(0, "sport", comment="see the headline")])) == 1


def test_decisions_are_stored_all_or_none(database: Database) -> None:
    with pytest.raises(DatabaseError):
        database.add_decisions([said(0, "sport"), said(1, "sport", batch=99)])

    assert database.decisions() == []
    assert database.last_decision() == 0


def test_decisions_after_a_number_are_the_later_ones(database: Database) -> None:
    database.add_decisions([said(index, "sport") for index in range(4)])

    assert [row.item_index for row in database.decisions(after=2)] == [2, 3]


def test_the_majority_of_the_reviewers_wins(database: Database) -> None:
    reviewers = ("ann", "bob", "cat")
    labels = ("sport", "world", "sport")
    database.add_decisions([said(0, *pair) for pair in zip(labels, reviewers, strict=True)])

    outcome = outcomes_of(database)[0]

    assert (told(outcome), outcome.reviewers) == ("sport", ("ann", "cat"))


def test_of_equals_the_latest_wins(database: Database) -> None:
    database.add_decisions([said(0, "sport", "ann"), said(0, "world", "bob")])
    assert resolved(database) == {0: "world"}

    database.add_decisions([said(0, None, "ann")])
    database.add_decisions([said(0, "sport", "ann")])
    assert resolved(database) == {0: "sport"}


def test_a_reviewers_earlier_decision_does_not_count(database: Database) -> None:
    database.add_decisions([said(0, "sport", "ann"), said(0, "sport", "bob")])
    database.add_decisions([said(0, "world", "ann"), said(0, "world", "bob")])

    assert outcomes_of(database)[0].reviewers == ("ann", "bob")
    assert resolved(database) == {0: "world"}


@pytest.mark.parametrize("action", ["skip", "flag"])
def test_an_item_that_is_skipped_or_flagged_has_no_label(database: Database, action: str) -> None:
    database.add_decisions([said(0, "sport"), said(0, None, action=action)])

    assert resolved(database) == {0: None}
    assert outcomes_of(database)[0].reviewers == ()


def test_a_skip_does_not_outvote_a_label(database: Database) -> None:
    database.add_decisions([said(0, "sport", "ann"), said(0, None, "bob"), said(0, None, "cat")])

    assert resolved(database) == {0: "sport"}


def test_a_machines_label_stands_until_a_person_decides(database: Database) -> None:
    database.add_decisions([by_machine(0, "world"), by_machine(1, "world"), by_machine(2, "world")])
    database.add_decisions([said(1, "sport"), said(2, None)])

    found = [(told(o), o.machine, o.by_people, o.reviewers) for o in outcomes_of(database)]

    assert found == [
        ("world", True, False, ("machine:fused",)),
        ("sport", False, True, ("ann",)),
        (None, False, False, ()),
    ]


def test_machines_never_outvote_a_person(database: Database) -> None:
    database.add_decisions([said(0, "sport"), by_machine(0, "world")])
    database.add_decisions([said(0, "world", "machine:nli", kind="machine")])

    assert resolved(database) == {0: "sport"}


def test_storing_a_machines_answer_twice_adds_nothing(database: Database) -> None:
    added = [database.add_decisions([by_machine(0, "world")]) for _ in range(2)]

    assert [len(rows) for rows in added] == [1, 0]


def test_outcomes_come_in_the_order_of_the_pool(database: Database) -> None:
    database.add_decisions([said(index, "sport") for index in (5, 1, 3)])

    assert [outcome.item_id for outcome in outcomes_of(database)] == [
        "i1",
        "i3",
        "i5",
    ]


votes = st.tuples(
    st.integers(0, 3), st.sampled_from([*LABELS, None]), st.sampled_from(["ann", "bob", "cat"])
)


@settings(max_examples=20)
@given(st.lists(votes, max_size=12))
def test_storing_one_by_one_or_at_once_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[int, str | None, str]]
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    at_once, one_by_one = Database(folder / "a.db"), Database(folder / "b.db")
    for store in (at_once, one_by_one):
        store.create("pool", LABELS)

    added = at_once.add_decisions([said(*vote) for vote in sequence])
    added_singly = sum(len(one_by_one.add_decisions([said(*vote)])) for vote in sequence)

    assert len(added) == added_singly == at_once.last_decision()
    assert resolve_all(at_once.decisions(), ANSWERS) == resolve_all(one_by_one.decisions(), ANSWERS)
    at_once.close()
    one_by_one.close()


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5)), None])
def test_a_moment_comes_back_in_utc(database: Database, zone: timezone | None) -> None:
    moment = NOON.replace(tzinfo=None) if zone is None else NOON.astimezone(zone)

    database.add_decisions([said(0, "sport", decided_at=moment)])

    assert database.decisions()[0].decided_at.isoformat() == "2026-01-02T12:00:00+00:00"


def decision(**fields: Any) -> Decision:
    values: dict[str, Any] = {"action": "label", "value": ("sport",), "reviewer": "ann"}
    return Decision(item_id="i7", **(values | fields))


def test_a_row_says_what_the_reviewer_was_shown() -> None:
    row = decision_row(decision(seconds=2.5), 7, batch_item(0, 7, batch=4))

    assert (row.item_index, row.batch, row.seconds) == (7, 4, 2.5)
    assert (row.shown_label, row.shown_probability) == ("world", 0.75)
    assert (row.blind, row.audit) == (False, False)


@pytest.mark.parametrize(("reason", "audit"), [("audit", True), ("recheck", False)])
def test_a_blind_item_showed_nothing_and_measures_only_in_an_audit(
    reason: str, audit: bool
) -> None:
    row = decision_row(decision(), 7, batch_item(0, 7, batch=4, blind=True, reason=reason))

    assert (row.shown_label, row.shown_probability) == (None, None)
    assert (row.blind, row.audit) == (True, audit)


def test_a_decision_outside_any_batch_was_not_shown_anything() -> None:
    row = decision_row(decision(decided_at=NOON), 7, None)

    assert (row.batch, row.shown_label, row.blind, row.audit) == (None, None, False, False)
    assert row.decided_at == NOON


def test_a_machine_is_shown_nothing_and_never_measures() -> None:
    machine = decision(reviewer="machine:fused", kind="machine")

    shown = decision_row(machine, 7, batch_item(0, 7, batch=4))
    blind = decision_row(machine, 7, batch_item(0, 7, batch=4, blind=True, reason="audit"))

    assert (shown.kind, shown.batch, shown.shown_label) == ("machine", 4, None)
    assert (blind.blind, blind.audit) == (False, False)


def test_an_audit_stays_known_in_the_outcome(database: Database) -> None:
    database.add_decisions([said(0, "sport", blind=True, audit=True), said(1, "sport")])

    assert [outcome.audit for outcome in outcomes_of(database)] == [
        True,
        False,
    ]


def test_trainings_come_oldest_first(database: Database) -> None:
    summary = summary_of(kind="blend")
    for cycle in (2, 1):
        row = TrainingRow(
            cycle=cycle, fingerprint="f", last_decision=1, summary=summary, created_at=NOON
        )
        database.add_training(row)

    assert [row.cycle for row in database.trainings()] == [1, 2]
    assert database.trainings()[0].summary == summary


def test_answers_with_places_come_back_as_they_were(database: Database) -> None:
    value = value_of(Part("world", (3, 9)), Part("sport", (0, 2)), "world")
    proposal = candidates_from_json([["world", 0.75, 3, 9], ["sport", 0.25, 0, 2]])
    database.add_batch(1, {"kind": "hybrid"}, [batch_item(0, 3, proposal=proposal, answer=value)])
    (item,) = database.batch_items(1)
    database.add_decisions([said(3, None, action="label", value=value, shown=value)])
    (row,) = database.decisions()

    assert (item.proposal, item.proposed) == (proposal, value)
    assert (row.value, row.seen, row.shown_label) == (value, value, None)


def test_an_answer_of_no_part_is_no_skip(database: Database) -> None:
    database.add_decisions([said(3, None, action="label", value=(), shown=())])
    (row,) = database.decisions()

    assert (row.action, row.value, row.seen) == ("label", (), ())


def test_a_database_of_schema_5_is_read_with_what_was_shown_then(path: Path) -> None:
    store = Database(path)
    store.create("pool", LABELS)
    store.add_batch(1, {"kind": "hybrid"}, [batch_item(0, 3)])
    store.add_decisions([said(3, "sport", shown_label="world", shown_probability=0.75)])
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE decision DROP COLUMN shown")
        connection.execute("ALTER TABLE batch_item DROP COLUMN answer")
        connection.execute("ALTER TABLE project DROP COLUMN task")
        connection.execute("ALTER TABLE project DROP COLUMN medium")
        connection.execute("UPDATE project SET schema_version = 5")

    store = Database(path)
    store.check(["pool"], LABELS)
    (item,), (row,) = store.batch_items(1), store.decisions()
    store.close()

    assert (item.answer, item.proposed) == (None, value_of("world"))
    assert (row.shown, row.seen, row.value) == (None, value_of("world"), value_of("sport"))


@pytest.mark.parametrize("stored", ['"sport"', "[1]", '[["sport", "x"]]', "{}"])
def test_what_is_no_answer_in_a_column_gets_a_sentence(path: Path, stored: str) -> None:
    store = Database(path)
    store.create("pool", LABELS)
    store.add_decisions([said(3, "sport")])
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER decision_no_update")
        connection.execute("UPDATE decision SET labels = ?", (stored,))

    with pytest.raises(WorkspaceError, match=r"cannot be used: .*it is damaged"):
        store.decisions()
    store.close()
