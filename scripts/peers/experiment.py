"""What every peer's program shares: the command line, the data, the schedule, the results.

It runs inside the peers' own environments, so it needs numpy and scikit-learn and nothing of hilt.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score

Integers = npt.NDArray[np.integer[Any]]

FINE_STEP = 25  # labels between two trainings, up to FINE_UNTIL labels
FINE_UNTIL = 100
COARSE_STEP = 50


def schedule(budgets: list[int]) -> list[int]:
    """Say at how many labels to train: every 25 up to 100, every 50 after, and every budget."""
    most = max(budgets)
    fine = range(FINE_STEP, FINE_UNTIL + 1, FINE_STEP)
    coarse = range(FINE_UNTIL + COARSE_STEP, most + 1, COARSE_STEP)
    return sorted(stop for stop in {*fine, *coarse, *budgets} if stop <= most)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run of one peer.

    Attributes:
        folder: Where `task.json` and the embeddings are.
        strategy: What picks the items; each program names its own.
        texts: The pool's texts.
        positions: Shape (n_pool,), the answer key.
        test_texts: The texts to measure on.
        test_positions: Shape (n_test,), their true labels.
        n_labels: How many labels the task has.
        encoder: The folder or hub name of the encoder.
        budgets: After how many labels to measure.
        iterations: SetFit's num_iterations for models that are measured; others ignore it.
    """

    folder: Path
    out: Path
    strategy: str
    seed: int
    budgets: list[int]
    iterations: int
    texts: list[str]
    positions: Integers
    test_texts: list[str]
    test_positions: Integers
    n_labels: int
    encoder: str
    started: float = field(default_factory=time.perf_counter)

    def first_sample(self, size: int) -> Integers:
        """Draw `size` items uniformly, and more while they all have one label.

        Returns:
            Shape (at least `size`,), distinct indices into the pool.
        """
        order = np.random.default_rng(self.seed).permutation(len(self.positions))
        other = self.positions[order] != self.positions[order[0]]
        return order[: max(size, int(other.argmax()) + 1)]

    def record(self, labels: int, predicted: Integers) -> None:
        """Append a line of results; seconds count from the start and include measuring."""
        line = {
            "labels": labels,
            "accuracy": float(accuracy_score(self.test_positions, predicted)),
            "macro_f1": float(f1_score(self.test_positions, predicted, average="macro")),
            "seconds": round(time.perf_counter() - self.started, 1),
        }
        with self.out.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


def read_experiment(strategies: tuple[str, ...]) -> Experiment:
    """Read the command line, and the task that it names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the folder with task.json")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines are appended to it")
    parser.add_argument("--strategy", choices=strategies, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--budgets", type=int, nargs="+", required=True)
    parser.add_argument("--iterations", type=int, required=True)
    arguments = parser.parse_args()
    task = json.loads((arguments.folder / "task.json").read_text(encoding="utf-8"))
    return Experiment(
        **vars(arguments),
        texts=task["pool"]["texts"],
        positions=np.array(task["pool"]["positions"]),
        test_texts=task["test"]["texts"],
        test_positions=np.array(task["test"]["positions"]),
        n_labels=len(task["labels"]),
        encoder=task["encoder"],
    )
