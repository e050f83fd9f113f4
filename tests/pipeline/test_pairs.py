"""A third party's medium, named in the configuration, from the first row to the release."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hilt
from hilt.errors import ConfigError, ModelError
from hilt.pipeline.workspace.workspace import Workspace
from tests.one_label import known_positions
from tests.toys.pairs_project import configure, rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace `work` in which 30 of 60 pairs are labelled; do not change."""
    folder = tmp_path_factory.mktemp("pairs")
    workspace = hilt.init(folder / "work", configure(folder))
    hilt.propose(workspace)
    hilt.simulate(workspace, hilt.select(workspace))
    hilt.simulate(workspace, hilt.cycle(workspace))
    hilt.train(workspace)
    hilt.propose(workspace)
    workspace.database.close()
    return folder


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    return hilt.open_workspace(shutil.copytree(made / "work", tmp_path / "work"))


def test_a_pool_holds_both_texts(workspace: Workspace) -> None:
    first, pool = rows()[0], workspace.pool

    assert pool.contents([0]) == [(first["left"], first["second"])]
    assert pool.shown([0])[0].fields == {"left": first["left"], "right": first["second"]}
    assert pool.texts([0]) == [f"left: {first['left']}\nright: {first['second']}"]
    assert pool.lengths[0] == len(first["left"]) + len(first["second"])


def test_a_student_learns_without_descriptions_and_is_right(workspace: Workspace) -> None:
    status = hilt.status(workspace)
    fused = workspace.fused.open()
    true = known_positions(workspace)

    assert status.cycle == 2
    assert np.mean(fused.argmax(axis=1) == true) > 0.8


def test_an_embedder_of_another_medium_is_refused_with_its_line(tmp_path: Path) -> None:
    path = configure(tmp_path, embedder={"kind": "sentence_transformers"})

    with pytest.raises(ConfigError) as caught:
        hilt.load_config(path)

    line = next(
        n for n, text in enumerate(path.read_text("utf-8").splitlines(), 1) if "sentence_tr" in text
    )
    assert str(caught.value) == (
        f"{path}, line {line}: Embedder 'sentence_transformers' does not serve the medium 'pairs',"
        " only text; use a class of your own."
    )


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"proposers": [{"kind": "nli"}]}, "Proposer 'nli' .* use neighbours, zero_shot, or a"),
        ({"student": {"kind": "transformer"}}, "Student 'transformer' .* use linear, or a"),
    ],
)
def test_what_reads_texts_is_refused_with_what_would_do(
    tmp_path: Path, section: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        hilt.load_config(configure(tmp_path, **section))


def test_a_medium_is_refused_by_what_serves_another_one(tmp_path: Path) -> None:
    path = configure(tmp_path, medium="text")

    with pytest.raises(ConfigError, match=r"Embedder 'tests.toys.pairs:BagOfPairs' does not serve"):
        hilt.load_config(path)


def test_zero_shot_says_that_it_needs_a_common_space(tmp_path: Path) -> None:
    workspace = hilt.init(tmp_path / "work", configure(tmp_path, proposers=[{"kind": "zero_shot"}]))

    with pytest.raises(ModelError, match="the embedder has no vectors of texts in the space of"):
        hilt.propose(workspace)


def test_rows_are_appended_and_a_changed_one_is_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = configure(tmp_path)
    table = (tmp_path / "pairs.csv").read_text("utf-8")
    (tmp_path / "pairs.csv").write_text(table + "new,The owl sleeps,The owl sleeps too,same\n")

    grown = hilt.append(workspace.folder, path).workspace

    assert grown.pool.contents([60]) == [("The owl sleeps", "The owl sleeps too")]
    (tmp_path / "pairs.csv").write_text(table.replace("cat slept", "cat sat"))
    with pytest.raises(hilt.HiltError, match="the text of 'cat-0-same' is 'left: The cat sat"):
        hilt.append(workspace.folder, path)


def test_a_missing_text_is_refused_with_its_place(tmp_path: Path) -> None:
    path = configure(tmp_path)
    lines = [{"id": "a", "left": "x", "second": None, "label": "same"}]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    path.write_text(path.read_text("utf-8").replace("pairs.csv", "pairs.jsonl"))

    with pytest.raises(hilt.HiltError, match=r"line 1: the right is missing \(null\)"):
        hilt.init(tmp_path / "work", path)


def test_it_is_reported_and_released(workspace: Workspace, tmp_path: Path) -> None:
    hilt.report(workspace, tmp_path / "report.html")
    hilt.release(workspace, tmp_path / "out")

    assert "left: " in (tmp_path / "report.html").read_text("utf-8")
    with (tmp_path / "out" / "dataset.csv").open(encoding="utf-8", newline="") as file:
        released = list(csv.DictReader(file))
    given = [(each["id"], each["left"], each["second"]) for each in rows()]
    assert [(row["id"], row["left"], row["right"]) for row in released] == given
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| `id`, `left`, `right` | the item |" in card
    assert "- name: right\n    dtype: string" in card


def test_a_released_student_labels_new_pairs_as_its_card_says(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hilt.release(workspace, tmp_path / "out")
    card = (tmp_path / "out" / "student" / "README.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", card, re.S | re.M)
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path / "out" / "student")

    exec(code, names)

    said = names["student"].predict([("The cat slept", "The cat slept"), ("A dog", "My lion ate")])
    assert len(names["labels"]) == 2
    assert said == ["same", "different"]
    assert "--trust tests.toys.pairs:BagOfPairs --trust tests.toys.pairs:Pairs" in card
    with pytest.raises(ModelError, match=r"--trust tests.toys.pairs:BagOfPairs"):
        hilt.load_student(tmp_path / "out")
    with pytest.raises(hilt.DataError, match=r"texts\[0\] is 'x', which is not a tuple of 2 texts"):
        names["student"].predict(["x"])


def test_a_file_of_new_pairs_is_predicted(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("Left,right\nThe cat,The cat\n,The cat\nA dog,My lion\n")
    (tmp_path / "other.csv").write_text("left\nThe cat\n")

    result = hilt.predict(workspace, tmp_path / "new.csv", tmp_path / "said.csv")

    said = (tmp_path / "said.csv").read_text("utf-8").splitlines()
    assert (result.items, result.unlabelled) == (3, 1)
    assert ['"same"' in said[1], '"different"' in said[3]] == [True, True]
    with pytest.raises(hilt.DataError, match="there is no column 'right', which `medium` names"):
        hilt.predict(workspace, tmp_path / "other.csv", tmp_path / "more.csv")
