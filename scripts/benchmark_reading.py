"""Reading a pool: time and memory of this tree beside those of an earlier one.

    python scripts/benchmark_reading.py --before ../earlier-checkout

Writes a CSV of many short rows, lets each tree read, check and write it as a pool in a process of
its own, in turns, and prints the best of each and the ratios.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

UNITS = ("seconds", "processor seconds", "megabytes")
WORDS = ["the", "order", "parcel", "refund", "late", "love", "broken", "again", "please", "where"]
BUILD = """
import json, resource, sys, time
from pathlib import Path
import datasets, pyarrow.csv
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.building import build_pool
from hilt.tasks.single import Single
start = time.perf_counter()
source = Source(path=sys.argv[1], id="id", label="label")
summary = build_pool(source, Single(("praise", "complaint")), Path(sys.argv[2]))
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
told = {
    "seconds": seconds,
    "processor seconds": used.ru_utime + used.ru_stime,
    "megabytes": used.ru_maxrss / 1024,
}
print(json.dumps(told | {"fingerprint": summary.fingerprint}))
"""


def write_pool(path: Path, rows: int) -> None:
    """Write short texts, every fourth with a comma, so that it is quoted."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for number in range(rows):
            words = rng.choices(WORDS, k=8)
            text = (", " if number % 4 == 0 else " ").join(words)
            writer.writerow([f"row-{number:07d}", text, rng.choice(["praise", "complaint"])])


def measure(tree: Path, pool: Path, folder: Path) -> dict[str, float | str]:
    """Build a pool with the hilt of a tree, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(tree), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(pool), str(folder)],
        env=environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float | str] = json.loads(done.stdout)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="A checkout of an earlier commit.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    trees = {"now": Path(__file__).resolve().parent.parent}
    if options.before:
        trees["before"] = options.before.resolve()
    best: dict[str, dict[str, float]] = {name: {} for name in trees}
    prints = set()
    with tempfile.TemporaryDirectory() as folder:
        pool = Path(folder) / "pool.csv"
        write_pool(pool, options.rows)
        for turn in range(options.repeats):
            for name, tree in trees.items():
                told = measure(tree, pool, Path(folder) / f"{name}-{turn}")
                prints.add(told["fingerprint"])
                for unit in UNITS:
                    best[name][unit] = min(best[name].get(unit, float("inf")), float(told[unit]))
                print(f"{name:>6}: {told['seconds']:.1f} s, {told['megabytes']:.0f} MB", flush=True)
    print(
        f"{options.rows:,} rows; the pools are {'the same' if len(prints) == 1 else 'different'}."
    )
    if "before" in best:
        for unit in UNITS:
            now, before = best["now"][unit], best["before"][unit]
            print(f"{unit}: {now:.1f} now, {before:.1f} before, ratio {now / before:.2f}")


if __name__ == "__main__":
    main()
