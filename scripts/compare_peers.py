"""Accuracy at equal numbers of labels: peer libraries on the task of a hilt configuration.

The pool, the test file, the labels, the encoder and the seeds are the configuration's; every label
that a peer asks for is counted, its first random sample included. Each peer runs in a virtual
environment of its own, which is made once in the work folder; a result that is there already is
not computed again.

small-text 1.4.1, its strongest stack: `PoolBasedActiveLearner` with `BreakingTies` and
`SetFitClassification` (setfit 1.2.0), which fine-tunes the encoder on pairs and puts a logistic
regression on top. It cannot start without labels: the first 25 are drawn at random (BANKING77
included; labels that were not seen yet get probability 0). Then it queries 25 at a time up to 100
labels and 50 at a time after, and trains anew from the published encoder each time, as small-text
does by default. Settings are the documented ones: batch size 32, one epoch, learning rate 2e-5,
20 pairs per label and polarity (num_iterations=20, `--iterations`) for every model that is
measured; models that only choose the next items get num_iterations=5, because of the time that
training takes on a processor. small-text 1.4.1 needs numpy 1.26, and pandas, pyarrow and datasets
of that age; torch, transformers and sentence-transformers are those that hilt uses. small-text
2.0.0.dev4 is not run: its SetFit cannot predict while a label has no example.

scikit-activeml 1.0.1: logistic regression (C 10, as hilt's) on the embeddings that hilt's embedder
makes, with margin sampling from zero labels on (ties at random, so the first query is a random
one) or with random sampling, on the same schedule.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

import numpy as np
from rich.console import Console
from rich.table import Table

from hilt.errors import DataError, HiltError
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.source import open_source
from hilt.proposers.base import EMBEDDERS
from hilt.proposers.models.encoder import resolve_encoder
from scripts.peers.environments import SCIKIT_ACTIVEML, Environment, call, make_environment

ROOT = Path(__file__).resolve().parents[1]
WORK = Path(tempfile.gettempdir()) / "hilt-peers"

Line = dict[str, float]
Curve = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """A program in `scripts/peers`, the strategy it is told, and where it runs."""

    module: str
    strategy: str
    environment: Environment


# torch first and alone: so pip's own choice of build (processor or graphics card) stands.
SMALL_TEXT = Environment(
    "small-text",
    (
        ("torch==2.13.0",),
        (
            "small-text==1.4.1",  # its extras ask for torchtext, which is no longer made
            "setfit==1.2.0",
            "sentence-transformers==6.2.0",
            "transformers==5.23.0",
            "datasets==4.4.1",
            "numpy==1.26.4",  # small-text 1.4.1 uses a name that numpy 2 hides
            "pandas==2.3.3",
            "pyarrow==21.0.0",
        ),
    ),
)
PEERS = {
    "small-text": Peer("small_text_setfit", "breaking-ties", SMALL_TEXT),
    "small-text-random": Peer("small_text_setfit", "random", SMALL_TEXT),
    "scikit-activeml": Peer("scikit_activeml_linear", "margin", SCIKIT_ACTIVEML),
    "scikit-activeml-random": Peer("scikit_activeml_linear", "random", SCIKIT_ACTIVEML),
}
DEFAULT_PEERS = ["small-text", "scikit-activeml", "scikit-activeml-random"]


@dataclass(frozen=True, slots=True)
class Run:
    """One peer with one seed; `out` exists once it is finished."""

    peer: str
    seed: int
    budgets: tuple[int, ...]
    iterations: int
    folder: Path

    @property
    def out(self) -> Path:
        """The results, under a name that says what was asked."""
        asked = f"{'-'.join(map(str, self.budgets))}-labels-{self.iterations}-iterations"
        return self.folder / f"{self.peer}-{asked}-seed-{self.seed}.jsonl"


def write_task(config: Config, work: Path) -> Path:
    """Write the texts and the answer key where peers can read them.

    Returns:
        A folder whose name depends on the content, so that results of other data are not mixed.

    Raises:
        DataError: If there is no answer key or no test file, or a label is not configured.
    """
    if config.test is None:
        raise DataError("The configuration has no `test`; peers are measured on it.")
    task = {
        "labels": config.label_names,
        "encoder": resolve_encoder(config.embedder.model),
        "pool": labelled_texts(config, config.pool),
        "test": labelled_texts(config, config.test),
    }
    content = json.dumps(task, ensure_ascii=False)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    folder = work / f"{Path(config.pool.path).stem}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_text(content, encoding="utf-8")
    return folder


def labelled_texts(config: Config, source: Source) -> dict[str, list[Any]]:
    """Read the texts of a source and the positions of their labels.

    Raises:
        DataError: If `label` is not given, or a label is not configured.
    """
    if source.label is None:
        raise DataError(f"{source.path}: `label` must name the column with the answer key.")
    texts: list[str] = []
    names: list[str] = []
    for batch in open_source(source).batches():
        texts += batch["text"].to_pylist()
        names += batch["label"].to_pylist()
    unknown = set(names) - set(config.label_names)
    if unknown:
        raise DataError(
            f"{source.path}: the label {min(unknown, key=str)!r} is not among the configured ones."
        )
    return {"texts": texts, "positions": config.positions_of(names).tolist()}


def write_embeddings(config: Config, folder: Path) -> None:
    """Embed pool and test texts with the configured embedder, unless that was done."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    settings = config.embedder.model_dump(exclude={"kind"})
    embedder = EMBEDDERS.load(config.embedder.kind)(device=config.device, **settings)
    for part in ("pool", "test"):
        path = folder / f"{part}.npy"
        if not path.exists():
            unfinished = path.with_suffix(".part.npy")
            np.save(unfinished, embedder.embed(task[part]["texts"]).astype(np.float32))
            unfinished.replace(path)


def run_peer(run: Run, python: Path, threads: int) -> None:
    """Run one peer with one seed in its own process, unless its result is there."""
    if run.out.exists():
        return
    unfinished = run.out.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    peer = PEERS[run.peer]
    command = [str(python), "-m", f"scripts.peers.{peer.module}", str(run.folder)]
    command += ["--out", str(unfinished), "--strategy", peer.strategy, "--seed", str(run.seed)]
    command += ["--budgets", *map(str, run.budgets), "--iterations", str(run.iterations)]
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
    }
    with tempfile.TemporaryDirectory() as scratch:  # for the checkpoints that a trainer leaves
        call(command, run.out.with_suffix(".log"), cwd=Path(scratch), env=env)
    unfinished.replace(run.out)
    for line in read_lines(run.out):
        print(f"{run.folder.name}  {run.peer}  seed {run.seed}  {json.dumps(line)}", flush=True)


def read_lines(path: Path) -> list[Line]:
    """Read one run's results: one line for every budget."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def merge(seeds: list[list[Line]]) -> Curve:
    """Average the runs of one peer, budget by budget.

    Args:
        seeds: For every seed its lines, one for every budget, in the same order.
    """
    budgets = list(zip(*seeds, strict=True))
    averages = {
        key: [round(mean(line[key] for line in lines), 4) for lines in budgets]
        for key in ("accuracy", "macro_f1", "seconds")
    }
    return {
        "labels": [round(mean(line["labels"] for line in lines)) for lines in budgets],
        "accuracy": averages["accuracy"],
        "macro_f1": averages["macro_f1"],
        "seeds": len(seeds),
        "seconds": averages["seconds"][-1],
        "per_seed": seeds,
    }


def as_table(title: str, budgets: list[int], curves: dict[str, Curve]) -> Table:
    """Lay accuracy and macro F1 in % at equal labels side by side; a dash where not measured."""
    table = Table("labels", title=title)
    for budget in budgets:
        table.add_column(f"{budget}: acc", justify="right")
        table.add_column(f"{budget}: F1", justify="right")
    for name, curve in curves.items():
        table.add_row(name, *cells(curve, budgets))
    return table


def cells(curve: Curve, budgets: list[int]) -> Iterator[str]:
    """Give a curve's accuracy and macro F1 at each budget."""
    labels = list(curve["labels"])
    for budget in budgets:
        for key in ("accuracy", "macro_f1"):
            measured = budget in labels
            yield f"{100 * curve[key][labels.index(budget)]:.1f}" if measured else "-"


def names(text: str) -> list[str]:
    """Split the names of peers.

    Raises:
        ArgumentTypeError: If one is not known.
    """
    found = text.split(",")
    unknown = [name for name in found if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of: {', '.join(PEERS)}.")
    return found


def budgets(text: str) -> list[int]:
    """Split the numbers of labels, smallest first."""
    return sorted({int(number) for number in text.split(",")})


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "config", type=Path, help="a configuration with pool labels and a test file"
    )
    parser.add_argument(
        "--budget", type=budgets, default=[100, 300], help="labels, such as 100,300"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--peers", type=names, default=DEFAULT_PEERS, help=f"of {', '.join(PEERS)}")
    parser.add_argument("--iterations", type=int, default=20, help="SetFit's num_iterations")
    parser.add_argument("--processes", type=int, default=1, help="runs at once")
    parser.add_argument("--work", type=Path, default=WORK, help="environments and results")
    parser.add_argument("--hilt", type=Path, help="the JSON of `hilt benchmark`, for the table")
    parser.add_argument("--json", type=Path, help="where to write the result")
    return parser.parse_args()


def compare(arguments: argparse.Namespace) -> dict[str, Curve]:
    """Run whatever is missing, and average the seeds of every peer."""
    config = load_config(arguments.config)
    work = arguments.work.resolve()
    folder = write_task(config, work)
    write_embeddings(config, folder)
    pythons = {
        environment.name: make_environment(environment, work / "environments" / environment.name)
        for environment in {PEERS[name].environment for name in arguments.peers}
    }
    runs = [
        Run(name, seed, tuple(arguments.budget), arguments.iterations, folder)
        for name in arguments.peers
        for seed in range(arguments.seeds)
    ]
    threads = max(1, (os.cpu_count() or 1) // arguments.processes)
    with ThreadPoolExecutor(arguments.processes) as pool:
        started = [
            pool.submit(run_peer, run, pythons[PEERS[run.peer].environment.name], threads)
            for run in runs
        ]
        for future in started:
            future.result()
    return {
        name: merge([read_lines(run.out) for run in runs if run.peer == name])
        for name in arguments.peers
    }


def main() -> None:
    """Compare, write the JSON and print the table."""
    arguments = parse_arguments()
    try:
        peers = compare(arguments)
    except HiltError as error:
        sys.exit(str(error))
    if arguments.json:
        result = {"config": arguments.config.stem, "peers": peers}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    ours: dict[str, Curve] = {}
    if arguments.hilt:
        arms = json.loads(arguments.hilt.read_text(encoding="utf-8"))["arms"]
        ours = {f"hilt: {name}": curve for name, curve in arms.items()}
    Console().print(as_table(arguments.config.stem, arguments.budget, {**ours, **peers}))


if __name__ == "__main__":
    main()
