"""Proposals that come in a file."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hilt
from hilt.errors import ConfigError, DataError
from hilt.pipeline.cli import app
from hilt.pipeline.configuration.proposer_kinds import CustomProposer
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.members import GIVEN, KIND
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.reviewing.given_proposals import _name
from hilt.pipeline.workspace.workspace import Workspace
from tests.one_label import known_labels, known_positions

Open = Callable[[str], Workspace]
NAME = "given-predictions"


def save(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def predictions(work: Workspace, path: Path, count: int = 60, label: str = "") -> Path:
    """What another program says of the first items: what is right, or one label of all."""
    right = known_labels(work)
    rows = [
        {"id": item_id, "label": label or right[item_id], "probability": "0,9"}
        for item_id in work.pool.ids(range(count))
    ]
    return save(path, rows)


def likeliest(work: Workspace) -> float:
    """How often the fused proposal is right."""
    key = known_positions(work)
    return float((work.fused.open().argmax(axis=1) == key).mean())


def test_what_a_file_proposes_counts_from_then_on_and_no_longer_without_it(
    small_workspace: Open, tmp_path: Path
) -> None:
    work = small_workspace("proposed")
    before, config = np.array(work.fused.open()), (work.folder / "hilt.yaml").read_bytes()
    path = predictions(work, tmp_path / "predictions.csv", 50)

    given = hilt.import_proposals(work, path)
    proposed = hilt.propose(work)

    assert (given.proposer, given.proposals, given.rejected) == (NAME, 50, ())
    assert set(proposed.made) == {NAME, "fused"}
    assert proposed.proposers == ("zero_shot", NAME)
    said = np.asarray(work.proposal(NAME).open())
    assert said[0] == pytest.approx([0.9, 0.05, 0.05], abs=1e-3)
    assert np.isnan(said[50:]).all()
    assert likeliest(work) >= 50 / 60
    assert not np.array_equal(work.fused.open(), before)
    assert work.database.decisions() == []
    assert hilt.propose(work).made == ()

    given.table.unlink()

    assert hilt.propose(work).made == ("fused",)
    assert np.array_equal(work.fused.open(), before)
    assert (work.folder / "hilt.yaml").read_bytes() == config


def test_a_file_of_the_same_name_takes_the_place_of_the_other(
    small_workspace: Open, tmp_path: Path
) -> None:
    work = small_workspace("proposed")
    path = predictions(work, tmp_path / "predictions.csv")
    hilt.import_proposals(work, path)
    hilt.propose(work)

    predictions(work, path, 20, label="sport")
    run = ["import", str(work.folder), str(path), "--as", "proposals"]
    told = " ".join(CliRunner().invoke(app, run).output.split())

    assert "20 proposals stored for the proposer given-predictions, replacing the 60 it had" in told
    predictions(work, path, label="sport")
    assert hilt.import_proposals(work, path).replaced == 20
    assert set(hilt.propose(work).made) == {NAME, "fused"}
    assert (np.asarray(work.proposal(NAME).open()).argmax(axis=1) == 2).all()
    hilt.import_proposals(work, path)
    assert hilt.propose(work).made == ()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("preds.v1.csv", "preds.v1"),
        ("preds.v2.csv", "preds.v2"),
        ("preds.2026-05-01.jsonl.gz", "preds.2026-05-01"),
        ("preds.CSV", "preds"),
        ("a.parquet.zst", "a"),
        ("my preds (final).tsv", "my-preds-final"),
        ("größe.v1.xlsx", "größe.v1"),
        ("..csv", "file"),
        ("release-1.2", "release-1.2"),
        ("x" * 100 + ".csv", "x" * 60),
    ],
)
def test_a_proposer_has_the_name_of_its_file(file: str, name: str) -> None:
    assert _name(Path(file)) == name
    assert CustomProposer(kind=KIND, name=GIVEN + name).name == GIVEN + name


def test_versions_of_a_file_are_proposers_beside_each_other(
    small_workspace: Open, tmp_path: Path
) -> None:
    work = small_workspace("proposed")

    for version in ("v1", "v2"):
        given = hilt.import_proposals(work, predictions(work, tmp_path / f"preds.{version}.csv"))
        assert given.replaced is None

    assert hilt.propose(work).proposers == ("zero_shot", "given-preds.v1", "given-preds.v2")


def test_training_weighs_it_as_any_other(small_workspace: Open, tmp_path: Path) -> None:
    work = small_workspace("reviewed")
    hilt.import_proposals(work, predictions(work, tmp_path / "predictions.csv"))
    hilt.propose(work)

    batch = hilt.cycle(work)

    training = hilt.status(work).training
    assert training is not None
    assert set(training.fusion) == {"student", "zero_shot", NAME}
    assert training.fusion[NAME] > 0
    assert len(batch) == 12


@pytest.mark.parametrize("within", ["dataset.csv", "dataset.parquet", ""])
def test_of_a_release_only_what_machines_said_is_proposed(
    small_workspace: Open, tmp_path: Path, within: str
) -> None:
    old, new = small_workspace("two_cycles"), small_workspace("proposed")
    hilt.propose(old)
    hilt.release(old, tmp_path / "out")
    people = {outcome.index for outcome in LoopState.read(old).item_labels}

    given = hilt.import_proposals(new, tmp_path / "out" / within)
    hilt.propose(new)

    assert given.proposer == ("given-dataset" if within else "given-out")
    said = np.asarray(new.proposal(given.proposer).open())
    assert (given.from_people, given.proposals) == (len(people), 60 - len(people))
    assert set(np.flatnonzero(np.isnan(said[:, 0])).tolist()) == people
    fused = old.fused.open()
    machine = [index for index in range(60) if index not in people]
    assert (said[machine].argmax(axis=1) == fused[machine].argmax(axis=1)).all()
    assert said[machine].max(axis=1) == pytest.approx(fused[machine].max(axis=1), abs=2e-3)


WRONG = {
    "label": ({"label": "arts"}, "line 3: 'arts' is not a label"),
    "item": ({"id": "cat-99"}, "line 3: no item of the pool has the id 'cat-99'"),
    "no item": ({"id": ""}, "line 3: both the id and the text are missing"),
    "above 1": ({"probability": "1.2"}, "line 3: probability is '1.2'; it must be a number from"),
    "nan": ({"probability": "nan"}, "line 3: probability is 'nan'"),
    "words": ({"probability": "high"}, "line 3: probability is 'high'"),
    "contrary": ({"id": "cat-0"}, "line 3: item 'cat-0' has different labels: 'animals' on an"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_line_stores_nothing_unless_partial(
    small_workspace: Open, tmp_path: Path, name: str
) -> None:
    change, reason = WRONG[name]
    work = small_workspace("proposed")
    sound = {"id": "cat-0", "label": "Animals", "probability": "0.7"}
    wrong = {"id": "soup-0", "label": "food", "probability": "0.7"} | change
    path = save(tmp_path / "predictions.csv", [sound, wrong])

    with pytest.raises(DataError, match=reason):
        hilt.import_proposals(work, path)
    assert hilt.propose(work).made == ()
    given = hilt.import_proposals(work, path, partial=True)
    assert (given.proposals, [each.line for each in given.rejected]) == (1, [3])


def test_items_are_found_by_text_too(small_workspace: Open, tmp_path: Path) -> None:
    work = small_workspace("proposed")
    rows = [{"text": text, "label": "food", "probability": ""} for text in work.pool.texts([3, 4])]

    hilt.import_proposals(work, save(tmp_path / "predictions.csv", rows))
    hilt.propose(work)

    said = np.asarray(work.proposal(NAME).open())
    assert said[3] == pytest.approx([0.1, 0.8, 0.1], abs=1e-3)  # as sure as a rule is by default
    assert np.flatnonzero(~np.isnan(said[:, 0])).tolist() == [3, 4]


def test_what_people_said_is_no_proposal(small_workspace: Open, tmp_path: Path) -> None:
    work = small_workspace("selected")
    hilt.export(work, tmp_path / "sheet.csv", simulated=True)

    with pytest.raises(DataError, match=r"no label of a machine .*`hilt import .*sheet.csv`"):
        hilt.import_proposals(work, tmp_path / "sheet.csv")
    with pytest.raises(ConfigError, match=r"`match` is 'words'\. Allowed: auto, text"):
        hilt.import_proposals(work, tmp_path / "sheet.csv", match="words")


def test_a_damaged_table_is_named_with_a_way_on(small_workspace: Open, tmp_path: Path) -> None:
    work = small_workspace("proposed")
    given = hilt.import_proposals(work, predictions(work, tmp_path / "predictions.csv"))
    given.table.write_bytes(b"PAR1 cut")

    with pytest.raises(hilt.HiltError, match=r"predictions\.parquet cannot be read.*delete this"):
        hilt.propose(work)
    given.table.unlink()
    hilt.propose(work)


def test_the_command_says_what_it_did_and_how_to_undo_it(
    small_workspace: Open, tmp_path: Path
) -> None:
    work, run = small_workspace("proposed"), CliRunner().invoke
    path = str(predictions(work, tmp_path / "predictions.csv"))

    done = run(app, ["import", str(work.folder), path, "--as", "proposals"])
    misspelt = run(app, ["import", str(work.folder), path, "--as", "proposal"])
    beside = run(app, ["import", str(work.folder), path, "--as", "proposals", "--gold"])
    plain = run(app, ["import", str(work.folder), path])

    assert "60 proposals stored for the proposer given-predictions." in done.output
    table = work.answers_folder / "given" / "predictions.parquet"
    assert f"delete {table}" in done.output.replace("\n", "")
    assert f"hilt propose {work.folder}" in done.output.replace("\n", "")
    assert (misspelt.exit_code, beside.exit_code, plain.exit_code) == (2, 2, 2)
    assert NAME in Panel.of(LoopState.read(work)).names
