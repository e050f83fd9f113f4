"""What the programs that time a selector share: the command line, the pool, the clock.

It runs inside the peers' own environments, so it needs numpy and nothing of hilt.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Pool:
    """What a selector is given.

    Attributes:
        embeddings: Shape (n_items, d), float32, unit length.
        probabilities: Shape (n_items, n_labels), float32.
        labelled: Shape (n_labelled,), ascending indices of labelled items.
        labels: Shape (n_labelled,), theirs.
        batch: How many to pick.
    """

    embeddings: Floats
    probabilities: Floats
    labelled: Integers
    labels: Integers
    batch: int

    @property
    def unlabelled(self) -> Integers:
        """The indices that may be picked, ascending."""
        return np.setdiff1d(np.arange(len(self.embeddings)), self.labelled)


Select = Callable[[], Integers]


def run(methods: dict[str, Callable[[Pool], Select]], version: str) -> None:
    """Time one method once, and print a line of JSON.

    Args:
        methods: For every name, what prepares a pool, outside the clock, and gives what selects.
        version: Of the library.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the folder with the pool's arrays")
    parser.add_argument("method", choices=sorted(methods))
    parser.add_argument("--batch", type=int, required=True)
    arguments = parser.parse_args()
    arrays = {
        name: np.load(arguments.folder / f"{name}.npy")
        for name in ("embeddings", "probabilities", "labelled", "labels")
    }
    select = methods[arguments.method](Pool(**arrays, batch=arguments.batch))
    started, started_cpu = time.perf_counter(), time.process_time()
    indices = select()
    result = {
        "wall_seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - started_cpu,
        "indices": np.asarray(indices).tolist(),
        "version": version,
    }
    print(json.dumps(result))
