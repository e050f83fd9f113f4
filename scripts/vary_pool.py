"""A harder version of a benchmark: near-duplicates added to the pool, or its rarest label thinned.

    python scripts/vary_pool.py configs/benchmarks/agnews.yaml varied/agnews-copies --copies 0.3
    python scripts/vary_pool.py configs/benchmarks/trec.yaml varied/trec-rare --rarest 0.01

Writes `pool.csv` and `config.yaml` into the folder; the test file stays what it is.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

import numpy as np
import yaml

from hilt.pipeline.configuration.reading import load_config
from scripts.benchmark_duplicates import COLUMNS, Row, inject, read_rows, write_rows


def thin(rows: Sequence[Row], share: float, rng: np.random.Generator) -> list[Row]:
    """Drop items of the rarest label until it is this share of all; nothing where it is rarer."""
    rarest, count = Counter(label for _, _, label in rows).most_common()[-1]
    keep = min(count, round((len(rows) - count) * share / (1 - share)))
    places = [place for place, (_, _, label) in enumerate(rows) if label == rarest]
    dropped = set(rng.permutation(places)[keep:].tolist())
    return [row for place, row in enumerate(rows) if place not in dropped]


def main() -> None:
    """Write the pool and its configuration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=float, default=0.0, help="share that edited copies are of")
    parser.add_argument("--rarest", type=float, default=0.5, help="most that the rarest is of")
    arguments = parser.parse_args()

    config = load_config(arguments.config)
    rng = np.random.default_rng(config.seed)
    rows = inject(thin(read_rows(config), arguments.rarest, rng), arguments.copies, rng)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    pool = arguments.folder / "pool.csv"
    write_rows(pool, rows)
    values = config.model_dump(mode="json", exclude_unset=True)
    values["pool"] = {"path": str(pool.resolve()), **COLUMNS}
    (arguments.folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


if __name__ == "__main__":
    main()
