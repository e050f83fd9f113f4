"""A student of a class of one's own, from the configuration to the prediction of new items."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import hilt
from hilt.errors import ExtensionError, ModelError
from hilt.pipeline.cli import app
from hilt.pipeline.students.base import Examples
from hilt.pipeline.students.own import OwnStudent
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.workspace.workspace import Workspace
from hilt.tasks.categorical import one_hot
from hilt.tasks.single import Single
from hilt.types import Items

TEXTS = ["The goat ate grass on the hill.", "A spicy bean stew with rice.", "She won the race."]
LABELS = ("animals", "food", "sport")
TASK = Single(LABELS)
KIND = "own_students:Centroids"
MODULE = '''
import numpy as np


class Centroids:
    """Compares each item with the mean vector of every label."""

    def __init__(self, centroids, sharpness):
        self.centroids, self.sharpness = centroids, sharpness

    @classmethod
    def fit(cls, examples, *, device, seed, sharpness: float = 10.0):
        rows, weights = examples.targets.rows.values, examples.targets.weights
        sums = rows.T @ (examples.items.embeddings * weights[:, None])
        return cls(sums / np.linalg.norm(sums, axis=1, keepdims=True), sharpness)

    def predict_proba(self, items):
        scores = np.exp(self.sharpness * items.embeddings @ self.centroids.T)
        return scores / scores.sum(axis=1, keepdims=True)

    def save(self, folder, labels):
        np.savez(folder / "centroids.npz", centroids=self.centroids, sharpness=self.sharpness)

    @classmethod
    def load(cls, folder, device):
        with np.load(folder / "centroids.npz") as saved:
            return cls(saved["centroids"], float(saved["sharpness"]))


class Sums(Centroids):
    def predict_proba(self, items):
        return 2 * super().predict_proba(items)


class Raises(Centroids):
    @classmethod
    def fit(cls, examples, *, device, seed):
        raise RuntimeError("told to")


class Unloadable(Centroids):
    @classmethod
    def load(cls, folder, device):
        raise RuntimeError("told to")


class Unfitted:
    pass
'''


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_students.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_students", raising=False)


@pytest.fixture
def workspace(stages: dict[str, Path], tmp_path: Path) -> Workspace:
    """A workspace with labels, whose configuration names the class."""
    folder = shutil.copytree(stages["reviewed"], tmp_path / "work")
    values = yaml.safe_load((folder / "hilt.yaml").read_text("utf-8"))
    values["student"] = {"kind": KIND, "settings": {"sharpness": 20}}
    (folder / "hilt.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return hilt.open_workspace(folder)


def test_it_is_trained_proposes_and_is_released(workspace: Workspace, tmp_path: Path) -> None:
    summary = hilt.train(workspace).summary
    hilt.propose(workspace)
    batch = hilt.select(workspace)
    hilt.release(workspace, tmp_path / "out")

    expected = hilt.load_student(workspace).predict_proba(TEXTS)
    record = json.loads((tmp_path / "out" / "student" / "student.json").read_text("utf-8"))
    card = (tmp_path / "out" / "student" / "README.md").read_text("utf-8")
    assert summary.kind == record["kind"] == KIND
    assert set(summary.scores) == {KIND}
    assert len(batch.items) == 12
    assert [LABELS[place] for place in expected.argmax(axis=1)] == list(LABELS)
    assert f"a student of the class `{KIND}`, which must be installed too" in card
    with pytest.raises(ModelError, match=f"add --trust {KIND}"):
        hilt.load_student(tmp_path / "out")
    loaded = hilt.load_student(tmp_path / "out", trust=[KIND])
    assert loaded.predict_proba(TEXTS) == pytest.approx(expected, abs=1e-6)
    assert loaded.kind == KIND


def test_it_predicts_on_the_command_line_where_it_is_trusted(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hilt.train(workspace)
    hilt.release(workspace, tmp_path / "out")
    (tmp_path / "new.csv").write_text("text\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    command = ["predict", "out", "new.csv", "-o", "said.csv"]

    refused = CliRunner().invoke(app, command)
    done = CliRunner().invoke(app, [*command, "--trust", KIND])

    assert refused.exit_code == 2
    assert f"--trust {KIND}" in refused.stderr
    assert done.exit_code == 0, done.stderr
    assert "animals" in (tmp_path / "said.csv").read_text("utf-8")


def test_a_graph_of_it_is_refused_in_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    hilt.train(workspace)

    with pytest.raises(ModelError, match=f"kind '{KIND}' cannot be exported to ONNX"):
        hilt.onnx(workspace, tmp_path / "graph")


def test_without_a_change_it_is_not_trained_again(workspace: Workspace) -> None:
    assert hilt.train(workspace).new
    assert not hilt.train(workspace).new


def examples() -> Examples:
    vectors = np.eye(4, 5, dtype=np.float32)
    items = Items(list("abcd"), [*TEXTS, "d"], vectors)
    return Examples(items, one_hot(np.array([0, 1, 2, 2]), 3))


def fit(name: str, **settings: Any) -> OwnStudent:
    return OwnStudent.fit(
        f"own_students:{name}", examples(), settings, task=TASK, device="cpu", seed=0
    )


def test_a_temperature_divides_its_logits_and_is_saved(tmp_path: Path) -> None:
    student = fit("Centroids")
    flat = student.sharpened(2.0).sharpened(5.0)
    (tmp_path / "student").mkdir()

    flat.save(tmp_path / "student", LABELS)

    loaded = OwnStudent.load(KIND, tmp_path / "student", "cpu", TASK)
    rows = student.predict_proba(examples().items)
    expected = rows**0.1 / (rows**0.1).sum(axis=1, keepdims=True)
    assert flat.predict_proba(examples().items) == pytest.approx(expected, abs=1e-5)
    assert loaded.predict_proba(examples().items) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: fit("Sums").predict_proba(examples().items), "returned .*sum to 2"),
        (lambda: fit("Raises"), r"failed with RuntimeError: told to \(.*own_students.py, line"),
        (lambda: fit("Unfitted"), "has no fit; a student must have it"),
        (lambda: fit("Centroids", sharp=1), "has no setting 'sharp'. Did you mean: sharpness"),
    ],
)
def test_one_that_misbehaves_is_named(act: Callable[[], object], says: str) -> None:
    with pytest.raises(ExtensionError, match=f"^Student 'own_students:.*' .*{says}"):
        act()


def test_one_that_cannot_be_loaded_is_named(workspace: Workspace) -> None:
    hilt.train(workspace)
    folder = workspace.student_folder(1)
    record = json.loads((folder / "student.json").read_text("utf-8"))
    (folder / "student.json").write_text(
        json.dumps({**record, "kind": "own_students:Unloadable"}), encoding="utf-8"
    )

    with pytest.raises(ExtensionError, match="'own_students:Unloadable' failed with RuntimeError"):
        read_student(folder, "cpu", ["own_students:Unloadable"])
