"""What asking again is worth when people err: the loop with rechecks and without.

    python scripts/benchmark_rechecks.py configs/benchmarks/trec.yaml --at 25,50,75,100,125,150

The simulated reviewer gives a wrong label to `--error-rate` of the items. A recheck is an answer
like any other, so at equal answers there are fewer labels with rechecks. Said of each share of
rechecks: how many there were, how many of them met a wrong label, and the share of wrong labels
and the student's accuracy on the test file in the end; means over seeds, with the quick student.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hilt.pipeline.benchmarking.arms import Run, branch, run_loop
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.values import in_words


def labels_before_rechecks(workspace: Workspace) -> Iterator[tuple[int, str]]:
    """Give the items that were asked about again, with the labels that they had."""
    asked = {
        (item.batch, item.item_index)
        for item in workspace.database.batch_items()
        if item.reason == "recheck"
    }
    label: dict[int, str] = {}
    for row in workspace.database.decisions():
        if (row.batch, row.item_index) in asked and row.item_index in label:
            yield row.item_index, label[row.item_index]
        if row.value:
            label[row.item_index] = row.value[0].label


def describe(workspace: Workspace, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Compare what was asked again, and the labels in the end, with the answer key."""
    config = workspace.config
    key = config.positions_of(
        [in_words(value) for value in workspace.pool.known_answers(workspace.task).values()]
    )
    before = list(labels_before_rechecks(workspace))
    outcomes = [each for each in LoopState.read(workspace).resolved if each.value]
    given = config.positions_of([in_words(each.value or ()) for each in outcomes])
    return {
        "rechecks": len(before),
        "wrong_before": sum(config.label_names[key[index]] != label for index, label in before),
        "wrong_labels": float(np.mean(given != key[[each.index for each in outcomes]])),
        "accuracy": rows[-1]["accuracy"],
    }


def main() -> None:
    """Run it and print what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--error-rate", type=float, default=0.1)
    parser.add_argument("--shares", default="0,0.1", help="of rechecks, with commas")
    parser.add_argument("--at", default="25,50,75,100", help="answers, with commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("hilt-rechecks"))
    arguments = parser.parse_args()

    folder = arguments.folder / arguments.config.stem
    base = init(folder / "base", arguments.config)
    propose(base)
    at = tuple(int(count) for count in arguments.at.split(","))
    for share in map(float, arguments.shares.split(",")):
        changes = {
            "batch": {"recheck": share},
            "simulation": {"error_rate": arguments.error_rate},
            "student": {"effort": "quick"},
        }
        start = branch(base, folder / f"start-{share:g}", changes)
        found = []
        for seed in range(arguments.seeds):
            work = folder / f"{share:g}-{seed}"
            rows = list(run_loop(Run("hilt", seed, at, start.folder, work, base.device)))
            found.append(describe(open_workspace(work), rows))
        means = {name: round(float(np.mean([row[name] for row in found])), 4) for name in found[0]}
        print(json.dumps({"share": share, **means}), flush=True)


if __name__ == "__main__":
    main()
