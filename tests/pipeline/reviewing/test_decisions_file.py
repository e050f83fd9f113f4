"""All decisions in one file, and back."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import hilt
from hilt.errors import DataError
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.disagreements import settle_disputes
from hilt.pipeline.reviewing.restoring import _value
from hilt.pipeline.selecting.explanation import in_words
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.labels import UNDO
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision
from hilt.values import value_of

Open = Callable[[str], Workspace]
PAST = Path(__file__).parents[2] / "past" / "workspace"
Line = dict[str, Any]


@pytest.fixture
def said(small_workspace: Open, tmp_path: Path) -> Workspace:
    """A workspace in which everything was said that can be."""
    work = small_workspace("reviewed")
    extra = [
        Decision("cat-0", "label", ("food",), "ann", seconds=4.5, comment="näh\u2028"),
        Decision("cat-0", "label", ("animals",), "bob"),
        Decision("cat-0", "label", ("animals",), "cid"),
        Decision("soup-1", "label", ("food",), "gold", kind="gold"),
        Decision("golf-1", "label", ("sport",), "machine:fused", source="oracle", kind="machine"),
        Decision("golf-0", "flag", (), "ann", comment="odd"),
        Decision("judo-0", "label", ("food",), "ann"),
    ]
    hilt.record(work, extra)
    settle_disputes(LoopState.read(work), work.database, "majority")
    taken_back = work.database.decisions()[-2]
    assert taken_back.item_id == "judo-0"
    _take_back(work, "chess-0")
    return work


def _take_back(work: Workspace, item_id: str) -> None:
    """Say something on the screen, and take it back."""
    index = int(work.pool.index_of([item_id])[0])
    now = work.database.decisions()[-1].decided_at
    common = {"item_index": index, "item_id": item_id, "reviewer": "ann", "blind": True}
    common |= {
        "audit": False,
        "comment": "",
        "source": "screen",
        "decided_at": now,
        "kind": "review",
    }
    with work.database.writing() as session:
        session.add(DecisionRow(action="label", value=value_of("food"), key="k-1", **common))
        session.flush()
        session.add(DecisionRow(action=UNDO, value=(), key="k-2", withdraws="k-1", **common))


def state(work: Workspace) -> dict[str, Any]:
    """What a user sees of a workspace, whatever its folder is called."""
    status = asdict(hilt.status(work)) | {"next_step": ""}
    return {
        "status": status,
        "agreement": asdict(hilt.agreement(work)),
        "decisions": hilt.decisions(work),
        "stored": [_value(row) for row in work.database.decisions()],
        "shown": [_value(row) for row in work.database.batch_items()],
        "open": work.database.open_batches(),
        "audit": LoopState.read(work).audit_order.numbers.tolist(),
    }


def test_a_new_workspace_of_the_same_pool_gets_the_same_state(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    written = hilt.export_decisions(said, tmp_path / "all.jsonl")
    new = small_workspace("proposed")

    result = hilt.import_answers(new, tmp_path / "all.jsonl")

    assert (written.decisions, written.batches) == (22, 1)
    assert (result.added, result.batches, result.rejected) == (22, 1, ())
    before, after = state(said), state(new)
    assert after == before
    assert after["status"]["audit_labels"] > 0
    assert hilt.select(new) == hilt.select(said)


def test_reading_the_file_again_changes_nothing(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    new = small_workspace("proposed")
    hilt.import_answers(new, tmp_path / "all.jsonl")
    before = state(new)

    result = hilt.import_answers(new, tmp_path / "all.jsonl")

    assert (result.added, result.unchanged, result.batches) == (0, 22, 0)
    assert state(new) == before
    hilt.export_decisions(new, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def test_a_workspace_that_has_the_beginning_gets_the_rest(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    behind = small_workspace("selected")
    ahead = said
    hilt.select(ahead)

    assert hilt.import_answers(behind, tmp_path / "all.jsonl").added == 22
    assert hilt.import_answers(ahead, tmp_path / "all.jsonl").unchanged == 22
    assert ahead.database.batch_numbers() == [1, 2]


@pytest.mark.parametrize("lacking", ["another decision", "another batch"])
def test_a_workspace_that_went_another_way_is_left_alone(
    said: Workspace, small_workspace: Open, tmp_path: Path, lacking: str
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    other = small_workspace("selected" if lacking == "another batch" else "proposed")
    if lacking == "another batch":
        hilt.select(other, new=True)
    else:
        hilt.record(other, [Decision("cat-0", "skip", (), "dan")])
    before = state(other)

    with pytest.raises(DataError, match=f"has {lacking} than the file.*hilt init NEW"):
        hilt.import_answers(other, tmp_path / "all.jsonl")
    assert state(other) == before


def test_a_workspace_with_an_older_order_of_the_audit_keeps_it(tmp_path: Path) -> None:
    old = hilt.open_workspace(shutil.copytree(PAST, tmp_path / "old"), device="cpu")
    new = hilt.open_workspace(shutil.copytree(PAST, tmp_path / "new"), device="cpu")
    for path in new.folder.glob("state.db*"):
        path.unlink()
    Database(new.folder / "state.db").create(new.pool.fingerprint, new.config.label_names)

    hilt.export_decisions(old, tmp_path / "all.jsonl")
    hilt.import_answers(new, tmp_path / "all.jsonl")

    assert LoopState.read(new).audit_order.is_older
    for key in ("decisions", "stored", "shown", "audit"):
        assert state(new)[key] == state(old)[key]


def test_another_seed_is_another_audit(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    new = small_workspace("ready")
    path = new.folder / "hilt.yaml"
    path.write_text(path.read_text("utf-8") + "seed: 7\n", "utf-8")

    with pytest.raises(DataError, match=r"`seed: 0`, but .* has 7, .*set `seed: 0` in .*\.yaml"):
        hilt.import_answers(hilt.open_workspace(new.folder), tmp_path / "all.jsonl")


def grown(folder: Path, *, at_once: bool = False) -> Workspace:
    """A workspace of six rows, and then of nine; or of nine from the first."""
    folder.mkdir()
    rows = [f"t-{number},the {number} text of many,food" for number in range(9)]
    pool, config = folder / "pool.csv", folder / "config.yaml"
    config.write_text("pool: {path: pool.csv, id: id}\nlabels: [food, sport]\n", "utf-8")
    pool.write_text("\n".join(["id,text,label", *rows[: 9 if at_once else 6]]), "utf-8")
    work = hilt.init(folder / "work", config)
    pool.write_text("\n".join(["id,text,label", *rows]), "utf-8")
    return work


def test_a_pool_that_grew_since_has_the_same_state(tmp_path: Path) -> None:
    old, new, whole = (
        grown(tmp_path / name, at_once=name == "whole") for name in ("old", "new", "whole")
    )
    hilt.record(old, [Decision("t-1", "label", ("food",), "ann")])
    hilt.export_decisions(old, tmp_path / "before.jsonl")
    hilt.append(old.folder)
    hilt.append(new.folder)
    new = hilt.open_workspace(new.folder)
    hilt.export_decisions(hilt.open_workspace(old.folder), tmp_path / "after.jsonl")

    assert hilt.import_answers(new, tmp_path / "before.jsonl").added == 1
    assert hilt.import_answers(new, tmp_path / "after.jsonl").unchanged == 1
    with pytest.raises(DataError, match=r"began with 6 items, .* with `hilt init NEW --append`"):
        hilt.import_answers(whole, tmp_path / "after.jsonl")


def test_another_pool_gets_what_people_said_as_labels_given_before(
    said: Workspace, make_workspace_in: Callable[..., Workspace], tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    extra = [("new-1", "The parliament voted on the budget.", "")]
    (tmp_path / "more").mkdir()
    other = make_workspace_in(tmp_path / "more", extra=extra, test=False)

    result = hilt.import_answers(other, tmp_path / "all.jsonl")

    stored = other.database.decisions()
    assert (result.batches, result.machine, result.added) == (0, 1, len(stored))
    assert not any(row.audit or row.blind or row.kind == "machine" or row.batch for row in stored)
    assert "chess-0" not in {row.item_id for row in stored}  # it was taken back
    then = {
        each.item_id: each.value for each in LoopState.read(said).item_labels if not each.machine
    }
    assert {each.item_id: each.value for each in LoopState.read(other).item_labels} == then
    assert [row.decided_at for row in stored][-1] == said.database.decisions()[-3].decided_at
    audit = hilt.status(said).audit_labels
    assert result.as_labels == (
        f"The pool is a different one (60 items, here 61): imported {len(stored)} answers as labels"
        f" given before; 1 batch and {audit} answers' places in the audit left out. Restoring the"
        " whole state needs a pool that grew in the same way. Make a workspace of the first 60"
        " rows, add the later ones with `hilt init NEW --append`, and import the file there."
    )


def test_more_labels_are_another_pool(said: Workspace, tmp_path: Path) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    text = (said.folder / "hilt.yaml").read_text("utf-8")
    config = tmp_path / "more.yaml"
    config.write_text(text.replace("labels:\n", "labels:\n  politics: about politics\n"), "utf-8")
    more = hilt.init(tmp_path / "more", config)

    result = hilt.import_answers(more, tmp_path / "all.jsonl")

    assert (result.batches, result.machine) == (0, 1)
    assert result.added == len(more.database.decisions()) == 19
    told = "The labels are different (only here: politics): imported 19 answers as labels given"
    assert result.as_labels.startswith(told)
    assert "init NEW" not in result.as_labels
    words = ["import", str(more.folder), str(tmp_path / "all.jsonl")]
    printed = CliRunner().invoke(app, words).output
    assert told in " ".join(printed.split())
    assert told in json.loads(CliRunner().invoke(app, [*words, "--json"]).output)["as_labels"]


def test_the_order_of_the_labels_is_of_no_account(said: Workspace, tmp_path: Path) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    config = yaml.safe_load((said.folder / "hilt.yaml").read_text("utf-8"))
    config["labels"] = dict(reversed(config["labels"].items()))
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    other = hilt.init(tmp_path / "other", tmp_path / "other.yaml")
    assert other.config.label_names == said.config.label_names[::-1]

    result = hilt.import_answers(other, tmp_path / "all.jsonl")

    assert (result.added, result.batches, result.as_labels) == (22, 1, "")
    before, after = state(said), state(other)
    for key in ("decisions", "stored", "shown", "open", "audit"):
        assert after[key] == before[key]
    assert after["status"]["audit_labels"] == before["status"]["audit_labels"] > 0


def test_a_pool_that_grew_otherwise_is_told_the_way_to_the_same_state(tmp_path: Path) -> None:
    old, whole = grown(tmp_path / "old"), grown(tmp_path / "whole", at_once=True)
    behind = grown(tmp_path / "behind")
    hilt.record(old, [Decision("t-1", "label", ("food",), "ann")])
    hilt.export_decisions(old, tmp_path / "before.jsonl")
    hilt.append(old.folder)
    hilt.export_decisions(hilt.open_workspace(old.folder), tmp_path / "after.jsonl")

    for work, file, sizes in (
        (whole, "before.jsonl", "6 items, here 9"),
        (behind, "after.jsonl", "9 items, here 6"),
    ):
        told = hilt.import_answers(work, tmp_path / file).as_labels
        assert f"a different one ({sizes}): imported 1 answer as labels given before." in told
        assert "of the first 6 rows, add the later ones with `hilt init NEW --append`" in told


AS_WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "mark": lambda content: b"\xef\xbb\xbf" + content,
    "line ends": lambda content: content.replace(b"\n", b"\r\n"),
    "both": lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"),
    "neither": lambda content: content,
}


@pytest.mark.parametrize("kind", [None, "jsonl"])
@pytest.mark.parametrize("how", AS_WRITTEN)
def test_a_file_that_an_editor_saved_is_still_one_of_decisions(
    said: Workspace, small_workspace: Open, tmp_path: Path, how: str, kind: str | None
) -> None:
    path, new = tmp_path / "all.jsonl", small_workspace("ready")
    hilt.export_decisions(said, path)
    path.write_bytes(AS_WRITTEN[how](path.read_bytes()))

    assert hilt.import_answers(new, path, format=kind).batches == 1


@pytest.mark.parametrize(
    "words",
    [
        "--gold",
        "--reviewer ann",
        "--match text",
        "--encoding cp1252",
        "--delimiter ;",
        "--quoting none",
    ],
)
def test_what_has_no_meaning_for_such_a_file_is_refused(
    said: Workspace, small_workspace: Open, tmp_path: Path, words: str
) -> None:
    new, path = small_workspace("ready"), tmp_path / "all.jsonl"
    hilt.export_decisions(said, path)

    refused = CliRunner().invoke(app, ["import", str(new.folder), str(path), *words.split()])

    assert refused.exit_code == 2
    assert f"leave out {words.split()[0]}." in " ".join(refused.output.split())
    assert new.database.decisions() == []


def test_what_another_pool_lacks_is_listed(
    said: Workspace, make_workspace_in: Callable[..., Workspace], tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    (tmp_path / "fewer").mkdir()
    other = make_workspace_in(tmp_path / "fewer", labels=("animals", "food", "arts"), test=False)

    with pytest.raises(DataError) as caught:
        hilt.import_answers(other, tmp_path / "all.jsonl")
    assert "'sport' is not a label" in str(caught.value)
    assert "Nothing was stored" in str(caught.value)
    assert other.database.decisions() == []
    result = hilt.import_answers(other, tmp_path / "all.jsonl", partial=True)
    assert result.added == len(other.database.decisions()) > 0
    assert all("'sport'" in each.reason for each in result.rejected)


def rewritten(path: Path, change: Callable[[list[Line]], object]) -> Path:
    """The file with other lines, and the checksum of these."""
    lines = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-2]]
    change(lines)
    kinds = [line.get("kind") for line in lines]
    for kind, plural in (("item", "items"), ("batch", "batches"), ("decision", "decisions")):
        lines[0][plural] = kinds.count(kind)
    body = "".join(f"{json.dumps(line)}\n" for line in lines)
    end = json.dumps({"kind": "end", "sha256": hashlib.sha256(body.encode()).hexdigest()})
    changed = path.with_name("changed.jsonl")
    changed.write_text(body + end + "\n", "utf-8")
    return changed


def decision(**fields: object) -> Callable[[list[Line]], object]:
    return lambda lines: lines[-1].update(fields)


def batch(lines: list[Line]) -> Line:
    return next(line for line in lines if line.get("kind") == "batch")


HOSTILE: dict[str, tuple[Callable[[list[Line]], object], str]] = {
    "unknown label": (decision(action="label", labels=["arts"]), "'arts' is not a label"),
    "action": (decision(action="accept"), "the action is 'accept'"),
    "two labels": (decision(action="label", labels=["food", "sport"]), "exactly one"),
    "reserved name": (decision(reviewer="machine:x"), "names that begin with 'machine:'"),
    "gold": (decision(reviewer="gold"), "reserved for known answers"),
    "seconds": (decision(seconds=1e308), "seconds is 1e[+]308"),
    "negative": (decision(seconds=-1), "seconds is -1"),
    "nan": (decision(seconds=float("nan")), "not a valid line of a file of decisions"),
    "surrogate": (decision(comment="\ud800"), "not a valid line of a file of decisions"),
    "nul": (decision(comment="\0"), "a NUL"),
    "future": (decision(decided_at="2999-01-01T00:00:00Z"), "not in the future"),
    "huge": (lambda lines: batch(lines).update(cycle=10**30), "at `batch.cycle`"),
    "why": (lambda lines: batch(lines)["items"][0].update(why={"x": 1}), "at `batch.items.0.why"),
    "note": (lambda lines: batch(lines)["selector"].update(note=5), "at `batch.selector.note"),
    "copies": (
        lambda lines: batch(lines)["selector"].update(copies=[[1]]),
        "`batch.selector.copies",
    ),
    "other copies": (
        lambda lines: batch(lines)["selector"].update(copies=[[1, 60]]),
        "copies that are not items",
    ),
    "no such item": (decision(item=59), "no line describes the item 59"),
    "negative item": (decision(item=-1), "at `decision.item`"),
    "no such batch": (decision(batch=7), "batch 7 has no item"),
    "words for numbers": (decision(item="5"), "at `decision.item`"),
    "true for a number": (decision(item=True), "at `decision.item`"),
    "another key": (decision(x=1), "at `decision.x`"),
    "no kind": (lambda lines: lines[-1].pop("kind"), "not a valid line of a file"),
    "id of another": (lambda lines: lines[1].update(id="x"), "item 'x' does not fit"),
    "no batch": (lambda lines: lines.remove(batch(lines)), "batch 1 has no item"),
    "batch twice": (lambda lines: lines.append(batch(lines)), "batch 1 occurs twice"),
    "extends": (lambda lines: batch(lines).update(extends=9), "extends a later one"),
    "item twice": (
        lambda lines: batch(lines)["items"].append(batch(lines)["items"][0]),
        "an item twice",
    ),
    "key twice": (lambda lines: lines[-1].update(key="k-1", withdraws="k-1"), "occurs twice"),
    "format": (lambda lines: lines[0].update(format=4), "has the format 4"),
    "header": (lambda lines: lines[0].update(labels="food"), "line 1: .* at `labels`"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_hilt_did_not_write_is_refused_whole(
    said: Workspace, small_workspace: Open, tmp_path: Path, name: str
) -> None:
    change, reason = HOSTILE[name]
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    new = small_workspace("ready")

    with pytest.raises(DataError, match=reason) as caught:
        hilt.import_answers(new, rewritten(tmp_path / "all.jsonl", change))
    assert len(str(caught.value)) < 2000
    assert new.database.decisions() == []
    assert new.database.batch_numbers() == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 2, 2**31, 10**30])
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_stands_in_a_line_it_is_taken_or_there_is_a_sentence(
    said: Workspace, small_workspace: Open, tmp_path: Path, data: st.DataObject
) -> None:
    if not (tmp_path / "all.jsonl").exists():
        hilt.export_decisions(said, tmp_path / "all.jsonl")
        small_workspace("ready")
    fresh = Path(tempfile.mkdtemp(dir=tmp_path)) / "work"
    new = hilt.open_workspace(shutil.copytree(tmp_path / "small-ready", fresh))

    def change(lines: list[Line]) -> None:
        line = data.draw(st.sampled_from([batch(lines), *lines[-40:]]))
        if line.get("kind") == "batch":
            line = data.draw(st.sampled_from([line, line["items"][0], line["selector"]]))
        line[data.draw(st.sampled_from(sorted(line)))] = data.draw(JSON)

    path = rewritten(tmp_path / "all.jsonl", change)
    told = ""
    try:
        hilt.import_answers(new, path)
    except DataError as error:
        told = str(error)
    stored = len(new.database.decisions()), new.database.batch_numbers()
    shown = [each for number in stored[1] for each in LoopState.read(new).batch(number).items]
    assert all(map(in_words, shown))
    assert hilt.status(new).items == 60
    new.database.close()
    assert len(told) < 2000
    assert stored == (0, []) if told else stored[0] > 15


def test_the_audit_is_told_by_the_draw_and_not_by_the_file(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")

    def lie(lines: list[Line]) -> None:
        for line in lines:
            if line.get("kind") == "decision":
                line["audit"] = not line["audit"]

    new = small_workspace("proposed")
    hilt.import_answers(new, rewritten(tmp_path / "all.jsonl", lie))

    assert state(new) == state(said)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.99])
def test_a_file_that_was_cut_is_refused(
    said: Workspace, small_workspace: Open, tmp_path: Path, kept: float
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    whole = (tmp_path / "all.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[: int(len(whole) * kept)])
    new = small_workspace("ready")

    with pytest.raises(DataError, match=r"was cut off|not a valid line of a file of decisions"):
        hilt.import_answers(new, tmp_path / "cut.jsonl")
    assert new.database.decisions() == []


def test_a_file_that_was_changed_is_refused(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    hilt.export_decisions(said, tmp_path / "all.jsonl")
    text = (tmp_path / "all.jsonl").read_text("utf-8")
    (tmp_path / "all.jsonl").write_text(text.replace('"comment":"odd"', '"comment":"fine"'))
    new = small_workspace("ready")

    with pytest.raises(DataError, match="changed after hilt wrote it: its checksum differs"):
        hilt.import_answers(new, tmp_path / "all.jsonl")
    assert new.database.decisions() == []


def test_the_commands_say_what_they_did(
    said: Workspace, small_workspace: Open, tmp_path: Path
) -> None:
    new, path = small_workspace("proposed"), tmp_path / "all.jsonl"
    run = CliRunner().invoke

    written = run(app, ["export", str(said.folder), "--decisions", str(path)])
    read = run(app, ["import", str(new.folder), str(path)])
    refused = run(app, ["export", str(said.folder), str(path), "--decisions", "--batch", "1"])

    assert "22 decisions in 1 batch." in written.output
    assert "22 decisions stored, 0 already known." in read.output
    assert "1 batch restored. Students are not part of such a file." in read.output
    assert refused.exit_code == 2
    with pytest.raises(DataError, match=r"does not end in \.jsonl"):
        hilt.export_decisions(said, tmp_path / "all.csv")
