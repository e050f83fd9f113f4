"""What a decision is: whichever way it comes in, it is stored as that and counts as that."""

import json
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import hilt
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.disagreements import disputed, opinions, settle_disputes
from hilt.pipeline.workspace.decisions import last_words
from hilt.pipeline.workspace.labels import resolve
from hilt.pipeline.workspace.upgrades import kind_before
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision, DecisionKind
from hilt.values import in_words, value_of
from tests.pipeline.reviewing.desk.conftest import at_desk, person, says

Open = Callable[[str], Workspace]
KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)
NAMES = {"gold": "gold", "rule": "resolved:majority", "machine": "machine:fused"}
# As hilt stored them up to schema 4: what is now a kind was told by the source.
SOURCES_BEFORE = {
    "review": "screen",
    "bulk": "bulk",
    "check": "check",
    "simulated": "simulated",
    "gold": "gold",
    "adjudication": "adjudication",
    "rule": "adjudication",
    "machine": "oracle",
}


def decision(kind: DecisionKind, item_id: str = "cat-0") -> Decision:
    return Decision(item_id, "label", ("sport",), NAMES.get(kind, "ann"), kind=kind)


def of_every_kind(ids: list[str]) -> list[Decision]:
    return [decision(kind, item_id) for kind, item_id in zip(KINDS, ids, strict=False)]


def by_file(work: Workspace, *, gold: bool = False) -> None:
    path = work.folder.parent / "answers.csv"
    path.write_text("id,label\ncat-0,sport\n", "utf-8")
    hilt.import_answers(work, path, gold=gold)


def by_gold(work: Workspace) -> None:
    by_file(work, gold=True)


def by_simulation(work: Workspace) -> None:
    hilt.simulate(work, hilt.select(work))


def by_oracle(work: Workspace) -> None:
    assert hilt.oracle(work, least=0.01).answered


def by_screen(work: Workspace) -> None:
    item = next(row.item_index for row in work.database.batch_items() if not row.blind)

    async def review(desk: WorkspaceDesk) -> None:
        await desk.record(person(desk, "reviewer"), [says(item, "food", by="reviewer")])

    at_desk(work, review)


def in_bulk(work: Workspace) -> None:
    rows = [row for row in work.database.batch_items() if not row.blind]

    async def accept(desk: WorkspaceDesk) -> None:
        who = person(desk, "reviewer")
        await desk.record(who, [says(rows[0].item_index, "food", by="in-bulk", bulk=True)])

    at_desk(work, accept)


def by_check(work: Workspace) -> None:
    in_bulk(work)
    by_screen(work)


def by_adjudication(work: Workspace) -> None:
    async def adjudicate(desk: WorkspaceDesk) -> None:
        await desk.adjudicate(person(desk, "reviewer"), [says(0, "food", by="reviewer")])

    at_desk(work, adjudicate)


def by_rule(work: Workspace) -> None:
    labels = {"ann": "food", "bob": "food", "cid": "sport"}
    hilt.record(work, [Decision("cat-0", "label", (y,), name) for name, y in labels.items()])
    assert len(settle_disputes(LoopState.read(work), work.database, "majority")) == 1


WAYS: dict[str, tuple[Callable[[Workspace], None], DecisionKind]] = {
    "file": (by_file, "review"),
    "gold file": (by_gold, "gold"),
    "simulation": (by_simulation, "simulated"),
    "oracle": (by_oracle, "machine"),
    "screen": (by_screen, "review"),
    "screen, in bulk": (in_bulk, "bulk"),
    "screen, a check": (by_check, "check"),
    "screen, adjudication": (by_adjudication, "adjudication"),
    "rule": (by_rule, "rule"),
}


@pytest.fixture
def work(small_workspace: Open) -> Workspace:
    """A workspace with a batch, in which all that is decided in bulk is checked."""
    work = small_workspace("selected")
    config = work.folder / "hilt.yaml"
    settings = yaml.safe_load(config.read_text("utf-8")) | {"review": {"bulk_check": 1.0}}
    config.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return hilt.open_workspace(work.folder)


def test_there_is_a_way_in_for_every_kind() -> None:
    assert {kind for _, kind in WAYS.values()} == set(KINDS)


@pytest.mark.parametrize("way", WAYS)
def test_a_decision_is_stored_as_what_it_is(work: Workspace, way: str) -> None:
    enter, kind = WAYS[way]

    enter(work)

    assert work.database.decisions()[-1].kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_record_stores_every_kind(work: Workspace, kind: DecisionKind) -> None:
    hilt.record(work, [decision(kind)])

    (row,) = work.database.decisions()
    assert (row.kind, row.source, row.value) == (kind, "file", value_of("sport"))


# Two people say food, then somebody says sport: what the label is, whether they disagree, whether
# that is a person's opinion, and whether it is listed as somebody's word.
COUNTS: dict[DecisionKind, tuple[str, bool, bool, bool]] = {
    "review": ("food", True, True, True),
    "bulk": ("food", True, True, True),
    "check": ("food", True, True, True),
    "simulated": ("food", True, True, True),
    "gold": ("sport", False, False, True),
    "adjudication": ("sport", False, False, True),
    "rule": ("sport", False, False, False),
    "machine": ("food", False, False, False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_counts_as_what_it_is(work: Workspace, kind: DecisionKind) -> None:
    people = [Decision("cat-0", "label", ("food",), name) for name in ("bob", "cid")]
    hilt.record(work, people)
    hilt.record(work, [decision(kind)])
    rows = work.database.decisions()

    label = in_words(resolve(rows, work.task.answers).value or ())
    said = opinions(rows)[rows[0].item_index]

    found = (label, bool(disputed(rows)), len(said) == len(rows), rows[-1] in last_words(rows))
    assert found == COUNTS[kind]


@pytest.fixture
def everything(work: Workspace, tmp_path: Path) -> Workspace:
    """The same, with a decision of every kind."""
    hilt.record(work, of_every_kind(work.pool.ids(range(len(KINDS)))))
    return work


def kinds_of(work: Workspace) -> dict[str, str]:
    return {row.item_id: row.kind for row in work.database.decisions()}


def as_before(path: Path) -> None:
    """Write a file of decisions as format 1 had it, but for the checksum."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()[:-1]]
    lines[0]["format"] = 1
    for line in lines:
        for item in line.get("items", []) if line.get("kind") == "batch" else []:
            del item["answer"]
        if line.get("kind") == "decision":
            del line["shown"]
            kind = line.pop("decision_kind")
            line |= {"source": SOURCES_BEFORE[kind], "machine": kind == "machine"}
    rewrite(path, lines)


def rewrite(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    end = json.dumps({"kind": "end", "sha256": sha256(text).hexdigest()})
    path.write_bytes(text + end.encode() + b"\n")


@pytest.mark.parametrize("before", [False, True])
def test_a_file_of_all_decisions_brings_every_kind_back(
    everything: Workspace, small_workspace: Open, tmp_path: Path, before: bool
) -> None:
    hilt.export_decisions(everything, tmp_path / "all.jsonl")
    if before:
        as_before(tmp_path / "all.jsonl")
    new = small_workspace("proposed")

    hilt.import_answers(new, tmp_path / "all.jsonl")

    assert kinds_of(new) == kinds_of(everything)
    assert set(kinds_of(new).values()) == set(KINDS)


def test_a_database_of_schema_4_is_told_what_its_decisions_are(everything: Workspace) -> None:
    expected = kinds_of(everything)
    everything.database.close()
    path = everything.folder / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER decision_no_update")
        connection.execute("ALTER TABLE decision ADD machine BOOLEAN DEFAULT FALSE NOT NULL")
        for kind, source in SOURCES_BEFORE.items():
            values = (source, kind == "machine", kind)
            connection.execute("UPDATE decision SET source = ?, machine = ? WHERE kind = ?", values)
        connection.execute("ALTER TABLE decision DROP COLUMN kind")
        connection.execute("ALTER TABLE decision DROP COLUMN shown")
        connection.execute("ALTER TABLE batch_item DROP COLUMN answer")
        connection.execute("ALTER TABLE project DROP COLUMN task")
        connection.execute("ALTER TABLE project DROP COLUMN medium")
        connection.execute("UPDATE project SET schema_version = 4")

    work = hilt.open_workspace(everything.folder)

    assert kinds_of(work) == expected
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE decision SET kind = 'review'")


@pytest.mark.parametrize(
    ("source", "reviewer", "kind"),
    [
        ("blind by the caller's word; bulk", "ann", "review"),
        ("slack", "ann", "review"),
        ("adjudication", "dana", "adjudication"),
        ("file", "resolved:x", "review"),  # a person's name, while names were not looked at
    ],
)
def test_what_a_decision_was_is_told_as_it_was_read_then(
    source: str, reviewer: str, kind: DecisionKind
) -> None:
    assert kind_before(source, reviewer, machine=False) == kind
