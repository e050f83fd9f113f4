"""Compare what two versions of hilt make of the same seed: batches, accuracies, released labels.

    python scripts/compare_runs.py --write before.json               # with one version
    python scripts/compare_runs.py --against before.json             # with the other
    python scripts/compare_runs.py --hilt .venv/bin/hilt --write x.json

Three projects are run by the command line alone, whose names change less than those of Python: BBC
News with the default student, TREC up to 75 labels with `contrastive`, and BBC News with two
reviewers who disagree on some items, settled by skill. The data are those of configs/benchmarks,
so BBC News needs `hilt demo` once, in the folder above configs. It takes some minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CALL = "from hilt.pipeline.cli import main; main()"
MEASURES = ("accuracy", "macro_f1")


class Project:
    """One workspace, driven by the command line.

    Args:
        hilt: The command line of hilt.
        folder: Where the workspace and its files go.
        config: The configuration, as a mapping.
        answers: The label of every item by its id.
    """

    def __init__(
        self, hilt: list[str], folder: Path, config: Mapping[str, Any], answers: Mapping[str, str]
    ) -> None:
        self.hilt = hilt
        self.folder = folder
        self.work = folder / "work"
        self.answers = answers
        self.batches: list[list[str]] = []
        self.trainings: list[dict[str, Any]] = []
        folder.mkdir(parents=True)
        path = folder / "hilt.yaml"
        path.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
        self.run("init", str(self.work), "--config", str(path))
        self.run("propose", str(self.work))
        self.run("select", str(self.work))

    def run(self, *words: str) -> str:
        """Run one command and return what it prints."""
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*self.hilt, *words], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            raise SystemExit(f"hilt {shlex.join(words)} ended with {done.stderr}")
        return done.stdout

    def review(self, *reviewers: Callable[[str, str], str]) -> None:
        """Answer the open batch, once for each reviewer: a function of an item's id and label."""
        number = len(self.batches) + 1
        batch = self.folder / f"batch-{number}.jsonl"
        self.run("export", str(self.work), str(batch))
        items = [json.loads(line) for line in batch.read_text("utf-8").splitlines()]
        ids = [item["id"] for item in items]
        self.batches.append(ids)
        for place, says in enumerate(reviewers):
            lines = [{"id": each, "label": says(each, self.answers[each])} for each in ids]
            file = self.folder / f"answers-{number}-{place}.jsonl"
            file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            self.run("import", str(self.work), str(file), "--reviewer", f"reviewer-{place}")

    def cycle(self) -> None:
        """Train, propose and select, and note what was measured."""
        self.run("cycle", str(self.work))
        training = json.loads(self.run("status", str(self.work), "--json"))["training"]
        self.trainings.append(
            {
                "kind": training["kind"],
                "scores": training["scores"],
                "fusion": training["fusion"],
                **{on: _accuracies(training[on]) for on in ("audit", "test")},
            }
        )

    def result(self) -> dict[str, Any]:
        """Release the labels, and gather what is compared."""
        self.run("release", str(self.work), str(self.folder / "out"))
        with (self.folder / "out" / "dataset.csv").open(encoding="utf-8", newline="") as file:
            labels = {row["id"]: row["label"] for row in csv.DictReader(file)}
        return {"batches": self.batches, "trainings": self.trainings, "labels": labels}


def main() -> int:
    """Run the projects; write what came of them, or compare it with what was written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hilt", default=f"{sys.executable} -P -c '{CALL}'")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    arguments = parser.parse_args()
    if (arguments.write is None) == (arguments.against is None):
        parser.error("name one file, with --write or with --against")
    hilt = shlex.split(arguments.hilt)
    with tempfile.TemporaryDirectory() as folder:
        found = {name: run(hilt, Path(folder) / name) for name, run in PROJECTS.items()}
    if arguments.write is not None:
        arguments.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    before = json.loads(arguments.against.read_text("utf-8"))
    differences = list(compare(before, found))
    print("\n".join(differences) or "The same batches, accuracies and released labels.")
    return 1 if differences else 0


def bbc_news(hilt: list[str], folder: Path) -> dict[str, Any]:
    """Run BBC News with the default student, four batches of one reviewer."""
    project = _project(hilt, folder, "bbc", batch={"size": 15})
    for _ in range(4):
        project.review(_truth)
        project.cycle()
    return project.result()


def trec(hilt: list[str], folder: Path) -> dict[str, Any]:
    """Run TREC with a contrastive student up to 75 labels."""
    settings = {"student": {"kind": "contrastive"}, "batch": {"size": 25}}
    project = _project(hilt, folder, "trec", **settings)
    for _ in range(3):
        project.review(_truth)
        project.cycle()
    return project.result()


def two_reviewers(hilt: list[str], folder: Path) -> dict[str, Any]:
    """Run BBC News with a second reviewer who is wrong about every sixth item or so."""
    settings = {"student": {"kind": "linear"}, "batch": {"size": 20}}
    project = _project(hilt, folder, "bbc", **settings)
    names = sorted(set(project.answers.values()))

    def errs(item: str, label: str) -> str:
        wrong = zlib.crc32(item.encode()) % 6 == 0
        return names[(names.index(label) + 1) % len(names)] if wrong else label

    for _ in range(3):
        project.review(_truth, errs)
        project.run("agreement", str(project.work), "--settle", "skill")
        project.cycle()
    return project.result()


PROJECTS = {"bbc": bbc_news, "trec": trec, "two-reviewers": two_reviewers}


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say where two results differ, one line for each project and kind of value."""
    lines = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, {}), after.get(name, {})
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                lines.append(
                    f"{name}: {key} differ: {_first_difference(old.get(key), new.get(key))}"
                )
    return lines


def _first_difference(old: object, new: object, place: str = "") -> str:
    """Show the first value in which two nested values differ, and where it stands."""
    if isinstance(old, dict) and isinstance(new, dict):
        key = next(k for k in {**old, **new} if old.get(k) != new.get(k))
        return _first_difference(old.get(key), new.get(key), f"{place}[{key!r}]")
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        at = next(i for i, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        return _first_difference(old[at], new[at], f"{place}[{at}]")
    return f"{place} was {old!r} and is {new!r}"


def _accuracies(measured: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {who: {key: value[key] for key in MEASURES} for who, value in measured.items()}


def _project(hilt: list[str], folder: Path, name: str, **settings: object) -> Project:
    """Make a workspace of a benchmark's data, with other settings."""
    path = ROOT / "configs" / "benchmarks" / f"{name}.yaml"
    config: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    for part in ("pool", "test"):
        config[part]["path"] = str((path.parent / config[part]["path"]).resolve())
    with Path(config["pool"]["path"]).open(encoding="utf-8", newline="") as file:
        answers = {row["id"]: row["label"] for row in csv.DictReader(file)}
    return Project(hilt, folder, {**config, **settings}, answers)


def _truth(item: str, label: str) -> str:
    return label


if __name__ == "__main__":
    sys.exit(main())
