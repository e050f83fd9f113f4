"""How often one `hilt.cycle` reads what it needs, and which functions take a whole workspace.

    python scripts/count_state_reads.py --json

A workspace of `--items` short texts is proposed for, and one batch of it answered. Then another
process turns the loop once, and there is counted: SELECTs on the tables of decisions and of items
of batches, panels that are built, and how often the weights of one model are read to be hashed.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from sqlalchemy import Engine, event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Table
from sqlalchemy.sql.selectable import Select

import hilt
from hilt.pipeline.proposing.panel import Panel

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = (".safetensors", ".bin")
TABLES = {"decision": "decisions", "batch_item": "batch_items"}
TOPICS = {
    "animals": "The {} {} slept near the river all day.",
    "food": "I cooked {} {} with garlic for dinner.",
    "sport": "She won the {} {} final on Sunday.",
}
# Where a whole workspace belongs: in the folder that makes it, and in what a user calls.
HOMES = ("pipeline/workspace/", "pipeline/commands/", "pipeline/cycle.py")


def make_workspace(folder: Path, items: int) -> hilt.Workspace:
    """Make a workspace of short texts, with proposals and one answered batch."""
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "text", "label"))
        for number in range(items):
            label = list(TOPICS)[number % len(TOPICS)]
            text = TOPICS[label].format(f"{number}th", ("red", "small", "old")[number % 7 % 3])
            rows.writerow((f"item-{number}", text, label))
    config = {
        "pool": {"path": "pool.csv", "id": "id", "text": "text", "label": "label"},
        "labels": {label: f"about {label}" for label in TOPICS},
        "batch": {"size": 24, "audit": 0.25},
        "device": "cpu",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    workspace = hilt.init(folder / "work", folder / "config.yaml")
    hilt.propose(workspace)
    hilt.simulate(workspace, hilt.select(workspace))
    return workspace


def count_reads(workspace: hilt.Workspace) -> dict[str, int]:
    """Turn the loop once, and count what it reads.

    Returns:
        By `decisions`, `batch_items`, `panels` and `hashes`; the last is of the one file of weights
        that was read most often.
    """
    counts: Counter[str] = Counter()
    opened = _watch_weights()
    opened.clear()
    with _selects(counts), _panels(counts):
        hilt.cycle(workspace)
    return {
        **{key: counts[key] for key in (*TABLES.values(), "panels")},
        "hashes": max(opened.values(), default=0),
    }


def workspace_parameters() -> list[str]:
    """List the parameters and fields that are a whole workspace where a part of it would do."""
    found = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(HOMES):
            found += [f"{place}: {name}" for name in _takers(ast.parse(path.read_text("utf-8")))]
    return found


def _takers(tree: ast.Module) -> Iterator[str]:
    """Name the functions and classes that take a workspace, without the public functions."""
    public = {node for node in tree.body if getattr(node, "name", None) in hilt.__all__}
    for node in ast.walk(tree):
        if node in public:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if any(_is_workspace(each.annotation) for each in every):
                yield node.name
        if isinstance(node, ast.ClassDef):
            fields = (each for each in node.body if isinstance(each, ast.AnnAssign))
            if any(_is_workspace(field.annotation) for field in fields):
                yield node.name


def _is_workspace(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    return any(
        getattr(node, "id", getattr(node, "attr", None)) == "Workspace"
        for node in ast.walk(annotation)
    )


@contextmanager
def _selects(counts: Counter[str]) -> Iterator[None]:
    def count(_connection: object, clause: object, *_others: object) -> None:
        if isinstance(clause, Select):
            tables = {each.name for each in visitors.iterate(clause) if isinstance(each, Table)}
            counts.update(TABLES[name] for name in tables & TABLES.keys())

    event.listen(Engine, "before_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_execute", count)


@contextmanager
def _panels(counts: Counter[str]) -> Iterator[None]:
    build = Panel.__init__

    def counted(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 - whatever a panel takes
        counts["panels"] += 1
        build(*arguments, **named)

    with patch.object(Panel, "__init__", counted):
        yield


@cache
def _watch_weights() -> Counter[str]:
    """Count from now on how often Python opens each file of weights; models open theirs in C."""
    opened: Counter[str] = Counter()

    def look_on(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open" and str(arguments[0]).endswith(WEIGHTS) and "r" in str(arguments[1]):
            opened[str(arguments[0]).replace(".partial", "")] += 1  # one that is being saved

    sys.addaudithook(look_on)  # which stays for good
    return opened


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=500, help="items in the pool")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cycle", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cycle is not None:
        print(json.dumps(count_reads(hilt.open_workspace(arguments.cycle))))
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder), arguments.items)
        workspace.database.close()
        command = [sys.executable, __file__, "--cycle", str(workspace.folder)]
        counted = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    takers = workspace_parameters()
    figures = {**json.loads(counted), "workspace_parameters": len(takers)}
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, number in figures.items():
        print(f"{name:22}{number:>5}")
    print(*takers, sep="\n")


if __name__ == "__main__":
    main()
