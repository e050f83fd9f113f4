"""Seconds per selection, beside peers, in one run: the same pool, each selection in a process.

The pool is made up (`scripts/selector_pool.py`), float32 in memory for all. Every round runs every
selector once, one after the other, so that what else the machine does slows all of them; medians
count. Loading, imports and the fit of a peer's classifier are outside the clock; whatever a
selector makes for itself, such as clusters or neighbours, is inside.

small-text 1.4.1 and scikit-activeml 1.0.1 run in virtual environments of their own, made once in
the work folder, with default settings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

import numpy as np
from rich.console import Console
from rich.table import Table

from hilt.errors import HiltError
from scripts.peers.environments import SCIKIT_ACTIVEML, Environment, call, make_environment
from scripts.selector_pool import Pool, coverage_radius, make_pool, open_pool, read_clusters

ROOT = Path(__file__).resolve().parents[1]
WORK = Path(tempfile.gettempdir()) / "hilt-selectors"
# torch first and alone: so pip's own choice of build (processor or graphics card) stands.
SMALL_TEXT = Environment(
    "small-text-selectors", (("torch==2.13.0",), ("small-text==1.4.1", "scikit-learn"))
)

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Program:
    """A library's program in `scripts/peers`; hilt's runs in this Python."""

    library: str
    module: str
    environment: Environment | None = None


Run = tuple[Program, str]  # and what it is told to run

HILT = Program("hilt", "hilt_selectors")
PEER_SMALL_TEXT = Program("small-text", "small_text_selectors", SMALL_TEXT)
PEER_SCIKIT_ACTIVEML = Program("scikit-activeml", "scikit_activeml_selectors", SCIKIT_ACTIVEML)

# What hilt calls it, and what does the same elsewhere.
SAME: dict[str, list[Run]] = {
    "k_center": [(PEER_SMALL_TEXT, "GreedyCoreset"), (PEER_SCIKIT_ACTIVEML, "CoreSet")],
    "badge": [(PEER_SMALL_TEXT, "BADGE"), (PEER_SCIKIT_ACTIVEML, "Badge")],
    "probcover": [(PEER_SCIKIT_ACTIVEML, "ProbCover")],
    "max_herding": [(PEER_SCIKIT_ACTIVEML, "MaxHerding")],
    "typiclust": [(PEER_SCIKIT_ACTIVEML, "TypiClust")],
}


def write_arrays(pool: Pool, work: Path) -> Path:
    """Write the pool as float32 arrays where every program can read them."""
    view, folder = open_pool(pool, work, neighbours=0), pool.proposals(work) / "float32"
    folder.mkdir(exist_ok=True)
    rows = view.embeddings.astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(folder / "embeddings.npy", rows)
    np.save(folder / "probabilities.npy", view.proposal.values.astype(np.float32))
    np.save(folder / "labelled.npy", view.labelled)
    np.save(folder / "labels.npy", view.labels)
    return folder


def select(program: Program, method: str, python: Path, folder: Path, batch: int) -> Result:
    """Run one selection in a process of its own."""
    log = folder / f"{program.library}-{method}.log"
    command = [str(python), "-W", "ignore", "-m", f"scripts.peers.{program.module}"]
    command += [str(folder), method, "--batch", str(batch)]
    call(command, log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    result: Result = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    return result


def compare(arguments: argparse.Namespace) -> list[Result]:
    """Run all rounds.

    Returns:
        One row a selector of a library: its median seconds, and how often they go into a peer's.
    """
    pool = Pool(arguments.items, arguments.dim, arguments.labelled, arguments.labels)
    work = arguments.work.resolve()
    make_pool(pool, work, neighbours=0)
    folder = write_arrays(pool, work)
    runs = [run for kind in arguments.selectors for run in runs_of(kind)]
    pythons = {program: python_of(program, work) for program, _ in runs}
    results: dict[Run, list[Result]] = {run: [] for run in runs}
    for number in range(arguments.rounds):
        for run in runs:
            results[run].append(select(*run, pythons[run[0]], folder, arguments.batch))
            library, method = run[0].library, run[1]
            seconds = results[run][-1]["wall_seconds"]
            print(f"round {number}  {library} {method}  {seconds:.3f} s", flush=True)
    view, clusters = open_pool(pool, work, neighbours=0), read_clusters(pool, work)
    return [
        {
            "selector": kind,
            **summary(run, results[run], results[HILT, kind]),
            "coverage_radius": coverage_radius(view, np.array(results[run][0]["indices"])),
            "clusters_hit": len(np.unique(clusters[results[run][0]["indices"]])),
        }
        for kind in arguments.selectors
        for run in runs_of(kind)
    ]


def runs_of(kind: str) -> list[Run]:
    """List hilt's selector and what does the same elsewhere."""
    return [(HILT, kind), *SAME[kind]]


def python_of(program: Program, work: Path) -> Path:
    """Give the Python that has a library, and make it where it is missing."""
    if program.environment is None:
        return Path(sys.executable)
    return make_environment(program.environment, work / "environments" / program.environment.name)


def summary(run: Run, results: Sequence[Result], ours: Sequence[Result]) -> Result:
    """Take the medians of one selector's rounds.

    Args:
        run: The program and the method.
        results: Its rounds.
        ours: Those of hilt's selector.
    """
    ratios = [
        result["wall_seconds"] / own["wall_seconds"]
        for result, own in zip(results, ours, strict=True)
    ]
    return {
        "library": f"{run[0].library} {results[0]['version']}",
        "method": run[1],
        "wall_seconds": round(median(result["wall_seconds"] for result in results), 4),
        "cpu_seconds": round(median(result["cpu_seconds"] for result in results), 4),
        "times_as_long_as_hilt": round(median(ratios), 1),
        "lowest_and_highest": [round(min(ratios), 1), round(max(ratios), 1)],
    }


def as_table(rows: Sequence[Result]) -> Table:
    """Lay the rows out for a terminal."""
    names = ["wall_seconds", "cpu_seconds", "times_as_long_as_hilt", "lowest_and_highest"]
    names += ["coverage_radius", "clusters_hit"]
    table = Table("selector", "library", "method", *(name.replace("_", " ") for name in names))
    for row in rows:
        head = (row["selector"], row["library"], row["method"])
        table.add_row(*head, *(str(row[name]) for name in names))
    return table


def names(text: str) -> list[str]:
    """Split the names of selectors.

    Raises:
        ArgumentTypeError: If no peer has one of them.
    """
    found = text.split(",")
    unknown = [name for name in found if name not in SAME]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of: {', '.join(SAME)}.")
    return found


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--batch", type=int, default=100, help="how many are picked")
    parser.add_argument("--labelled", type=int, default=100)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--selectors", type=names, default=list(SAME), help=f"of {', '.join(SAME)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=WORK, help="pools and environments")
    parser.add_argument("--json", type=Path, help="where to write the result")
    return parser.parse_args()


def main() -> None:
    """Compare, write the JSON and print the table."""
    arguments = parse_arguments()
    try:
        rows = compare(arguments)
    except HiltError as error:
        sys.exit(str(error))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    Console().print(as_table(rows))


if __name__ == "__main__":
    main()
