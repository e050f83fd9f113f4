"""Items of which every label is known.

Real ones are the training file of a benchmark, embedded and proposed for by hilt itself; planted
ones are points around the centres of labels.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

import hilt
from hilt.distributions import softmax
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.fusion import Trust, trust_without_labels
from hilt.pipeline.proposing.panel import Panel
from hilt.tasks.single import Single
from hilt.types import Floats, Integers, Items, Value
from hilt.values import in_words, value_of
from scripts.statistics_checks.cells import Cells, tell

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "benchmarks"
MOST = 5000  # items of a real population
PLANTED, PLANTED_ITEMS = "planted", 1500
NOISE = 0.9  # of planted points, where the coordinates of centres are standard normal
COLUMNS = {"id": "id", "text": "text", "label": "label"}


@dataclass(frozen=True, slots=True)
class Population:
    """Items with their true labels, and what a proposer says of them.

    Attributes:
        items: n items with embeddings.
        truth: Shape (n,), the positions of their labels.
        proposals: Shape (p, n, n_labels).
        trust: How much the p proposers count before there are labels.
        descriptions: The labels as items.
    """

    items: Items
    truth: Integers
    proposals: Floats
    trust: Trust
    descriptions: Items

    def __len__(self) -> int:
        return len(self.items)

    @property
    def task(self) -> Single:
        """One of the labels for each item."""
        return Single(tuple(self.descriptions.ids))

    def values(self, positions: Integers) -> list[Value]:
        """Turn positions of labels into answers."""
        return [value_of(self.task.labels[position]) for position in positions.tolist()]


def sets_at_hand(cells: Cells, names: Sequence[str], check: str) -> tuple[str, ...]:
    """List the benchmarks whose training files are there, and say which are left out.

    Args:
        cells: In the short form, there are planted items in their place.
        names: Of configurations in `configs/benchmarks`.
        check: Who wants them.
    """
    if cells.quick:
        return (PLANTED,)
    at_hand = []
    for name in names:
        path = Path(load_config(CONFIGS / f"{name}.yaml").pool.path)
        if path.exists():
            at_hand.append(name)
        else:
            tell(f"There is no file {path}; {check} is left out on {name}.")
    return tuple(at_hand)


@cache
def population_of(folder: Path, name: str) -> Population:
    """Read a benchmark, or plant items.

    Args:
        folder: Where workspaces are made.
        name: Of a configuration in `configs/benchmarks`, or `planted`.
    """
    if name == PLANTED:
        return planted(np.random.default_rng(0), PLANTED_ITEMS)
    return real(folder, name)


def real(folder: Path, name: str) -> Population:
    """Read a benchmark's training file, and let hilt embed it and propose; what is made is kept.

    Args:
        folder: Where workspaces are made.
        name: Of a configuration in `configs/benchmarks`.
    """
    tell(f"{name}: embeddings and proposals")
    workspace = hilt.init(folder / name / "work", _lay_out(folder / name, name), device="cpu")
    hilt.propose(workspace)
    panel, labels = Panel.of(LoopState.read(workspace)), workspace.config.label_list
    items = workspace.pool.items(slice(None))
    known = workspace.pool.known_answers(workspace.task)
    embeddings = workspace.embeddings.open().astype(np.float32)
    population = Population(
        items=Items(items.ids, items.contents, embeddings),
        truth=workspace.config.positions_of([in_words(value) for value in known.values()]),
        proposals=np.stack([rows.values for rows in panel.rows(slice(None))]),
        trust=panel.trust,
        descriptions=Items(
            [label.name for label in labels],
            [label.description for label in labels],
            panel.embedder.embed_labels([label.description for label in labels]),
        ),
    )
    workspace.database.close()
    return population


def _lay_out(folder: Path, name: str) -> Path:
    """Write a pool of distinct texts of a training file, and its configuration."""
    config = load_config(CONFIGS / f"{name}.yaml")
    rows = _distinct_rows(config)
    order = np.random.default_rng(config.seed).permutation(len(rows))[:MOST]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pool.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([tuple(COLUMNS), *(rows[place] for place in order)])
    values = config.model_dump(mode="json", exclude_unset=True, exclude={"test"})
    values["pool"] = {"path": str(path.resolve()), **COLUMNS}
    (folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder / "config.yaml"


def _distinct_rows(config: Config) -> list[tuple[str, str, str]]:
    """Read id, text and label of every text once."""
    source = config.pool
    with Path(source.path).open(encoding="utf-8", newline="") as file:
        labels = {row[source.text]: row[str(source.label)] for row in csv.DictReader(file)}
    return [(f"i-{number}", *each) for number, each in enumerate(labels.items())]


def planted(rng: np.random.Generator, size: int) -> Population:
    """Draw points around three centres of each of four labels; a proposer knows one of the three.

    Args:
        rng: Draws them.
        size: How many.
    """
    n_labels, kinds, dimension = 4, 3, 16
    centres = rng.standard_normal((n_labels, kinds, dimension))
    truth = rng.integers(n_labels, size=size)
    points = centres[truth, rng.integers(kinds, size=size)]
    points = points + NOISE * rng.standard_normal(points.shape)
    proposals = softmax(points @ centres[:, 0].T / dimension)[None]
    ids = [f"i-{number}" for number in range(size)]
    names = [f"label {number}" for number in range(n_labels)]
    return Population(
        items=Items(ids, ids, _unit(points)),
        truth=truth,
        proposals=proposals,
        trust=trust_without_labels(proposals),
        descriptions=Items(names, names, _unit(centres[:, 0])),
    )


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
