r"""What a bad proposer costs: the same loop without it, and with one that only does harm.

    python scripts/benchmark_bad_proposers.py configs/benchmarks/agnews.yaml \
        --at 25,50,100 --seeds 5

The same seeds run through `hilt benchmark` three times: as the configuration is; with a second
proposer that is sure of random labels; and with one whose labels are systematically swapped, the
zero-shot proposal with every label taken for the next in the list. The drop is in points of test
accuracy of the student.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hilt.pipeline.benchmarking.benchmark import BenchmarkPlan, benchmark
from hilt.pipeline.configuration.reading import load_config
from hilt.proposers.base import Context
from hilt.proposers.zero_shot import ZeroShot
from hilt.types import Floats, Items

CONFIDENCE = 0.9
BAD = {
    "random": "benchmark_bad_proposers:RandomLabels",
    "swapped": "benchmark_bad_proposers:SwappedLabels",
}


class RandomLabels:
    """Is sure of a label that is drawn by the item's id."""

    def __init__(self, context: Context) -> None:
        self.n_labels = len(context.labels)

    def propose(self, items: Items) -> Floats:
        """Propose labels: shape (n, n_labels), rows sum to 1."""
        said = [zlib.crc32(item.encode()) % self.n_labels for item in items.ids]
        rest = (1 - CONFIDENCE) / (self.n_labels - 1)
        chosen = np.eye(self.n_labels, dtype=bool)[said]
        return np.where(chosen, CONFIDENCE, rest).astype(np.float32)


class SwappedLabels(ZeroShot):
    """Takes every label for the next in the list."""

    def propose(self, items: Items) -> Floats:
        """Propose labels: shape (n, n_labels), rows sum to 1."""
        return np.roll(super().propose(items), 1, axis=1)


def run(config: Path, folder: Path, plan: BenchmarkPlan) -> dict[str, dict[str, Any]]:
    """Run hilt's arm without and with each bad proposer."""
    values = load_config(config).model_dump(mode="json", exclude_unset=True)
    results = {}
    for name, kind in {"none": "", **BAD}.items():
        proposers = [{"kind": "zero_shot"}, *([{"kind": kind}] if kind else [])]
        changed = folder / f"{config.stem}-{name}.yaml"
        changed.parent.mkdir(parents=True, exist_ok=True)
        changed.write_text(yaml.safe_dump({**values, "proposers": proposers}), encoding="utf-8")
        result = benchmark(changed, folder / f"{config.stem}-{name}", plan)
        results[name] = result.arms["hilt"]
    return results


def main() -> None:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--at", default="25,50,100", help="label counts, with commas")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path("hilt-bad-proposers"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    # So that this process and those it starts find the classes by name.
    here = str(Path(__file__).resolve().parent)
    sys.path.insert(0, here)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])

    at = tuple(int(count) for count in arguments.at.split(","))
    plan = BenchmarkPlan(("hilt",), at, arguments.seeds, arguments.processes, ceiling=("linear",))
    results = run(arguments.config, arguments.folder, plan)
    print(f"{'labels':>8}  {'none':>6}  " + "".join(f"{name:>16}" for name in BAD))
    for place, count in enumerate(at):
        clean = results["none"]["accuracy"][place]
        cells = [results[name]["accuracy"][place] for name in BAD]
        drops = "".join(f"{cell:>8.3f} ({100 * (cell - clean):+.1f})" for cell in cells)
        print(f"{count:>8}  {clean:>6.3f}  {drops}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
