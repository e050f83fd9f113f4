"""How long commands that need no model take, as a user meets them: whole processes.

    python scripts/time_commands.py
    python scripts/time_commands.py --before ../earlier-checkout --work a-workspace-that-it-made

Makes a workspace of 10,000 made-up items, of which people labelled 1,000, or takes copies of the
one that is given. Runs each command with the hilt of each tree in turns, and prints the best of all
runs: the seconds that passed, and those of the processor, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hilt import Decision, record
from scripts.support.rehearsal import LABELS, made_up_texts, rehearsal_workspace

COMMANDS = ("--help", "status WORK", "export WORK batch.csv --force", "decisions WORK --json")
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def make_workspace(folder: Path, items: int = 10_000, labelled: int = 1_000) -> Path:
    """Make a workspace with one batch of all items, and label some."""
    workspace = rehearsal_workspace(folder, made_up_texts(items), ready=True)
    ids = workspace.pool.ids(range(0, items, items // labelled))
    said = [
        Decision(item_id, "label", (LABELS[place % len(LABELS)],), "ann", seconds=5.0)
        for place, item_id in enumerate(ids)
    ]
    record(workspace, said, batch=1)
    workspace.database.close()
    return workspace.folder


def run(tree: Path, command: str, work: Path) -> tuple[float, float]:
    """Run a command with the hilt of a tree; give the seconds that passed, and the processor's."""
    words = [str(work) if word == "WORK" else word for word in command.split()]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "hilt.pipeline.cli", *words],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(tree)},
        cwd=work.parent,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    passed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=COMMANDS, help="Each with WORK in it.")
    parser.add_argument("--before", type=Path, help="A checkout of an earlier commit.")
    parser.add_argument("--work", type=Path, help="A workspace; each tree gets a copy.")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    trees = {"now": Path(__file__).resolve().parent.parent}
    if options.before:
        trees["before"] = options.before.resolve()
    if options.before and not options.work:
        parser.error("--before needs --work: an earlier hilt does not read what this one makes.")
    with tempfile.TemporaryDirectory() as scratch:
        made = options.work or make_workspace(Path(scratch))
        copies = {name: shutil.copytree(made, Path(scratch, name, "work")) for name in trees}
        for command in options.commands:
            runs: dict[str, list[tuple[float, float]]] = {name: [] for name in trees}
            for _ in range(options.runs):
                for name, tree in trees.items():
                    runs[name].append(run(tree, command, copies[name]))
            for name, measured in runs.items():
                passed, processor = map(min, zip(*measured, strict=True))
                print(f"{command:30} {name:6} {passed:6.2f} s, processor {processor:6.2f} s")


if __name__ == "__main__":
    main()
