"""The examples of docs/extending.md, each put into a project that goes from init to release."""

import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

import hilt
from tests.conftest import LABELS, SENTENCES, SUBJECTS
from tests.toys.pairs_project import LABELS as PAIR_LABELS
from tests.toys.pairs_project import rows as pairs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "extending.md"
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.S | re.M)
EXAMPLES: dict[str, str] = dict(SECTION.findall(PAGE.read_text("utf-8")))


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.S | re.M)


def write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the modules of the page, and with texts and pairs to label."""
    for code in blocks(PAGE.read_text("utf-8"), "python"):
        name = code.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    texts = [
        (sentence.format(subject), LABELS[place])
        for place, subjects in SUBJECTS.items()
        for subject in subjects.split()
        for sentence in SENTENCES[place]
    ]
    write(tmp_path / "texts.csv", ("text", "label"), texts)
    sides = [(each["left"], each["second"], each["label"]) for each in pairs()]
    write(tmp_path / "pairs.csv", ("question", "answer", "label"), sides)
    return tmp_path


def test_every_kind_has_an_example() -> None:
    kinds = ("A proposer", "An embedder", "A selector", "A student", "A medium", "A task")
    assert set(EXAMPLES) == set(kinds)
    assert all(len(blocks(section, "yaml")) == 1 for section in EXAMPLES.values())


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_runs_from_init_to_release(folder: Path, title: str) -> None:
    (block,) = blocks(EXAMPLES[title], "yaml")
    values = yaml.safe_load(block)
    pool = values.pop("pool", {"path": "texts.csv"}) | {"label": "label"}
    labels = LABELS if pool["path"] == "texts.csv" else PAIR_LABELS
    shared = {"batch": {"size": 20, "audit": 0.2}, "duplicates": {"near": False}, "device": "cpu"}
    config = {"pool": pool, "labels": list(labels), **shared, **values}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    workspace = hilt.init(folder / "work", folder / "config.yaml")
    hilt.propose(workspace)
    hilt.simulate(workspace, hilt.select(workspace))
    hilt.simulate(workspace, hilt.cycle(workspace))
    hilt.train(workspace)
    hilt.propose(workspace)
    hilt.release(workspace, folder / "out")

    written = (folder / "out" / "dataset.csv").read_text("utf-8")
    assert len(written.splitlines()) >= 61
    assert hilt.status(workspace).cycle == 2
