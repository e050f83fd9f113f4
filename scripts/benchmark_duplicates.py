r"""How far near-duplicates can be trusted, and what the loop gains by them.

    python scripts/benchmark_duplicates.py configs/benchmarks/agnews.yaml \
        --share 0.3 --at 20,40,60 --seeds 3

A fifth of the configuration's pool is held out to measure on; its test file is not read. `--share`
of what the rest then holds are copies of its items with a few edits, a few items having most of
the copies. `--notice` puts the same 68 words below or above every text. Said of the groups: how
many items have the label of their representative, how many were made from the same text as it, and
how many copies are in the group of the item they were made from. The loop runs with near-duplicates
and without, with the quick student; said of each: its accuracy, and the inherited labels. With
`--seeds 0` only the groups are described.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from hilt.intervals import wilson
from hilt.pipeline.benchmarking.arms import Run, branch, run_loop
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.duplicates.inheriting import inherit, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.values import in_words

HELD_OUT = 0.2
SKEW = 1.5  # exponent of the power law by which items get copies
COLUMNS = {"id": "id", "text": "text", "label": "label"}  # of the files that are written
NOTICE = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you"
    " have received this message in error please notify the sender immediately and delete it from"
    " your system. Any unauthorised copying, disclosure or distribution of the material in this"
    " e-mail is strictly forbidden. Eastgate Trading GmbH, registered office Bremen, managing"
    " directors Mara Holt and Jon Reed, commercial register HRB 54321, VAT number DE 123456789."
)
PLACES = {"none": "{text}", "footer": "{text} {notice}", "header": "{notice} {text}"}
PREFIXES = ("UPDATE 1-", "Fwd:", "FYI", "Re: Re:")

Row = tuple[str, str, str]  # id, text, label


def edit(text: str, rng: np.random.Generator) -> str:
    """Change spelling and signs, or up to two words, or what stands before the text."""
    words = text.split()
    kind = rng.integers(4)
    if kind == 0:
        return text.upper().replace(",", " ")
    if kind == 1:
        return f"{rng.choice(PREFIXES)} {text}"
    for _ in range(kind - 1):
        words[rng.integers(len(words))] = f"edit{rng.integers(1000)}"
    return " ".join(words)


def inject(rows: Sequence[Row], share: float, rng: np.random.Generator) -> list[Row]:
    """Add edited copies until they are this share of all; `<id>~<number>` is a copy of `<id>`."""
    count = round(len(rows) * share / (1 - share))
    chances = (1 + np.arange(len(rows))) ** -SKEW
    sources = rng.permutation(len(rows))[rng.choice(len(rows), count, p=chances / chances.sum())]
    copies = [
        (f"{rows[source][0]}~{number}", edit(rows[source][1], rng), rows[source][2])
        for number, source in enumerate(sources)
    ]
    return [*rows, *copies]


def read_rows(config: Config) -> list[Row]:
    """Read the pool's CSV file, its rows numbered from 0."""
    with Path(config.pool.path).open(encoding=config.pool.encoding, newline="") as file:
        return [
            (str(number), row[config.pool.text], row[str(config.pool.label)])
            for number, row in enumerate(csv.DictReader(file))
        ]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a CSV file with the columns of `COLUMNS`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([tuple(COLUMNS), *rows])


def lay_out(
    config: Config, folder: Path, *, share: float, items: int | None, notice: str
) -> dict[str, Any]:
    """Write pool and held-out file, and return the changed parts of the configuration."""
    rows = read_rows(config)
    rng = np.random.default_rng(config.seed)
    order = rng.permutation(len(rows))
    border = round(HELD_OUT * len(rows))
    kept = [rows[place] for place in order[border:][:items]]
    pool = [
        (item_id, PLACES[notice].format(text=text, notice=NOTICE), label)
        for item_id, text, label in inject(kept, share, rng)
    ]
    parts = {"test": [rows[place] for place in order[:border]][:items], "pool": pool}
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        write_rows(folder / f"{name}.csv", part)
    return {name: {"path": str((folder / f"{name}.csv").resolve()), **COLUMNS} for name in parts}


def _key(workspace: Workspace) -> Any:  # noqa: ANN401 - an array of numpy
    """Read the position of each item's true label."""
    known = workspace.pool.known_answers(workspace.task).values()
    return workspace.config.positions_of([in_words(value) for value in known])


def describe_groups(workspace: Workspace) -> dict[str, Any]:
    """Compare groups with the answer key, and with what the copies were made from."""
    groups = np.asarray(workspace.groups)
    key = _key(workspace)
    members = np.flatnonzero(groups != np.arange(len(groups)))
    near = members[workspace.pool.groups[members] == members]
    ids = np.array(workspace.pool.ids(slice(None)))
    made_from = np.array([item_id.partition("~")[0] for item_id in ids])
    copies = np.flatnonzero(ids != made_from)
    sources = workspace.pool.index_of(made_from[copies].tolist())
    return {
        "items": len(groups),
        "groups": int((np.bincount(groups) > 1).sum()),
        "largest": int(np.bincount(groups).max()),
        "members": _rate(key[members] == key[groups[members]]),
        "near_members": _rate(key[near] == key[groups[near]]),
        "near_members_of_one_text": _rate(made_from[near] == made_from[groups[near]]),
        "copies_found": _rate(groups[copies] == groups[sources]),
    }


def describe_inherited(workspace: Workspace) -> dict[str, Any]:
    """Compare inherited labels with the answer key."""
    outcomes = LoopState.read(workspace).resolved
    inherited = inherit(settled_groups(workspace, outcomes), outcomes)
    key = _key(workspace)
    labels = workspace.config.positions_of([in_words(value) for value in inherited.values])
    return _rate(key[inherited.indices] == labels)


def compare(base: Workspace, near: bool, at: tuple[int, ...], seeds: int) -> dict[str, Any]:
    """Run the loop with near-duplicates or without."""
    folder = base.folder.parent / f"near-{near}"
    start = branch(base, folder / "start", {"duplicates": {"near": near}})
    runs = [
        list(run_loop(Run("hilt", seed, at, start.folder, folder / str(seed), base.device)))
        for seed in range(seeds)
    ]
    accuracy = np.array([[row["accuracy"] for row in run] for run in runs])
    return {
        "groups": describe_groups(start),
        "labels": at,
        "accuracy": accuracy.mean(axis=0).round(4).tolist(),
        "by_seed": accuracy.round(4).tolist(),
        "inherited": [
            describe_inherited(open_workspace(folder / str(seed))) for seed in range(seeds)
        ],
    }


def main() -> None:
    """Run it and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--share", type=float, default=0.0, help="of the pool that are copies")
    parser.add_argument("--items", type=int, help="at most this many rows of the pool")
    parser.add_argument("--notice", choices=PLACES, default="none", help="what all texts share")
    parser.add_argument("--at", default="20,40,60", help="label counts, with commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("hilt-duplicates"))
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    name = (
        arguments.config.stem,
        f"{arguments.share:g}",
        arguments.items or "all",
        arguments.notice,
    )
    folder = arguments.folder / "-".join(map(str, name))
    values = config.model_dump(mode="json", exclude_unset=True)
    values |= {
        "student": {"effort": "quick"},
        **lay_out(
            config,
            folder,
            share=arguments.share,
            items=arguments.items,
            notice=arguments.notice,
        ),
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    base = init(folder / "base", folder / "config.yaml")
    propose(base)
    if not arguments.seeds:
        print(json.dumps(describe_groups(base), indent=1))
        return
    at = tuple(int(count) for count in arguments.at.split(","))
    for near in (True, False):
        found = compare(base, near, at, arguments.seeds)
        print(json.dumps({"near": near, **found}, indent=1), flush=True)


def _rate(right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    if not len(right):
        return {"of": 0}
    low, high = wilson(int(np.sum(right)), len(right))
    shares = {"right": float(np.mean(right)), "low": low, "high": high}
    return {"of": len(right), **{name: round(share, 4) for name, share in shares.items()}}


if __name__ == "__main__":
    main()
