"""Small real workspaces, made once and copied."""

import csv
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from hilt.pipeline.cycle import cycle
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace, open_workspace

# The same cases everywhere: what fails, fails for all. HYPOTHESIS_SEARCH=1 looks for new ones.
hypothesis.settings.register_profile(
    "suite",
    derandomize="HYPOTHESIS_SEARCH" not in os.environ,
    database=None,
    deadline=None,  # a busy machine is no fault
)
hypothesis.settings.load_profile("suite")

LABELS = ("animals", "food", "sport")
SUBJECTS = {
    0: "cat dog horse cow lion eagle whale spider rabbit tiger",
    1: "soup bread pasta cheese apple curry salad cake rice pizza",
    2: "football tennis rowing boxing hockey cycling rugby golf chess judo",
}
SENTENCES = {
    0: ("The {} slept in its den all day.", "A wild {} was seen near the river."),
    1: ("I cooked {} for dinner with garlic.", "This {} tastes too salty for me."),
    2: ("She won the {} final on Sunday.", "The {} season starts again in May."),
}
STAGES = ("ready", "proposed", "selected", "reviewed", "trained", "two_cycles")

LONGEST = (
    "test_demo.py",
    "test_readme.py",
    "test_every_student.py",
    "test_benchmark.py",
    "test_ray.py",
)

MakeWorkspace = Callable[..., Workspace]


def summary_of(**values: Any) -> TrainingSummary:
    """The summary of a training that learnt nothing, but for some values."""
    nothing: dict[str, Any] = {"label_counts": {}, "fusion": {}, "proposers": {}, "scores": {}}
    counts = {"human_labels": 0, "audit_labels": 0, "kind": "linear", "seconds": 0.0}
    return TrainingSummary(**(nothing | counts | values))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that at the end no process waits for another."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def _rows(labels: Sequence[str]) -> list[tuple[str, str, str]]:
    """Sixty distinct texts, twenty of each label."""
    return [
        (f"{subject}-{number}", sentence.format(subject), labels[position])
        for position, subjects in SUBJECTS.items()
        for subject in subjects.split()
        for number, sentence in enumerate(SENTENCES[position])
    ]


def write_csv(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *rows])


def make_workspace(
    folder: Path,
    *,
    labels: Sequence[str] = LABELS,
    extra: Sequence[tuple[str, str, str]] = (),
    test: bool = True,
    audit: float = 0.25,
    duplicates: Mapping[str, object] | None = None,
    student: Mapping[str, object] | None = None,
) -> Workspace:
    """A fresh workspace of sixty short texts in `folder / "work"`, and what `extra` adds."""
    rows = _rows(labels)
    columns = {"id": "id", "text": "text", "label": "label"}
    write_csv(folder / "pool.csv", [*rows[::2], *rows[1::2], *extra])
    config = {
        "pool": {"path": "pool.csv", **columns},
        "labels": {label: f"about {label}" for label in labels},
        "batch": {"size": 12, "audit": audit},
        "duplicates": dict(duplicates or {}),
        "device": "cpu",
    }
    if student is not None:
        config["student"] = dict(student)
    if test:
        write_csv(folder / "test.csv", [(f"t-{i}", f"Today: {t}", y) for i, t, y in rows[::3]])
        config["test"] = {"path": "test.csv", **columns}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return init(folder / "work", folder / "config.yaml")


@pytest.fixture(scope="session")
def make_workspace_in() -> MakeWorkspace:
    """Makes a workspace that several tests share, in a folder of theirs."""
    return make_workspace


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of one small workspace as it was at each stage; copy, do not change."""
    folder = tmp_path_factory.mktemp("stages")
    workspace = make_workspace(folder)
    steps: dict[str, Callable[[], object]] = {
        "ready": lambda: None,
        "proposed": lambda: propose(workspace),
        "selected": lambda: select(workspace),
        "reviewed": lambda: simulate(workspace, select(workspace)),
        "trained": lambda: train(workspace),
        "two_cycles": lambda: (simulate(workspace, cycle(workspace)), train(workspace)),
    }
    folders = {}
    for stage in STAGES:
        steps[stage]()
        workspace.database.close()
        folders[stage] = shutil.copytree(workspace.folder, folder / stage)
    return folders


@pytest.fixture
def small_workspace(stages: dict[str, Path], tmp_path: Path) -> Callable[[str], Workspace]:
    """Opens a copy of a small workspace at one of the stages."""

    def open_copy(stage: str) -> Workspace:
        return open_workspace(shutil.copytree(stages[stage], tmp_path / f"small-{stage}"))

    return open_copy


@pytest.fixture
def new_workspace(tmp_path: Path) -> MakeWorkspace:
    """Makes a fresh workspace of other labels, texts or settings."""

    def make(**changes: object) -> Workspace:
        return make_workspace(tmp_path, **changes)  # type: ignore[arg-type]

    return make
