"""Whether the figures that hilt shows are right: one simulation for each, with the truth known.

    python scripts/check_statistics.py                      # a table; ends with 1 if one is wrong
    python scripts/check_statistics.py --json               # the same as a JSON list
    python scripts/check_statistics.py --only agreement,minutes --folder checks

Each calls hilt's own functions, so that what breaks them is found here. What a simulation found is
kept in a folder and is read again, unless hilt's code or that of the simulations has changed since:
a run that was killed goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from rich.console import Console
from rich.table import Table

from hilt.registry import nearest
from scripts.statistics_checks import (
    adjudication,
    agreement,
    audit_draw,
    calibration,
    fusion_with_labels,
    fusion_without_labels,
    intervals,
    minutes,
    neighbours,
    ratios,
    settling,
)
from scripts.statistics_checks.cells import Cells, Result, as_json

CHECKS: dict[str, Callable[[Cells], list[Result]]] = {
    "audit": audit_draw.check,
    "adjudication": adjudication.check,
    "agreement": agreement.check,
    "calibration": calibration.check,
    "minutes": minutes.check,
    "fusion": fusion_without_labels.check,
    "settling": settling.check,
    "ratios": ratios.check,
    "neighbours": neighbours.check,
    "fused": fusion_with_labels.check,
    "intervals": intervals.check,
}
WIDE = 140  # columns of a table that goes into a file
FOLDER = Path(tempfile.gettempdir()) / "hilt-statistics"


def as_table(results: Sequence[Result]) -> Table:
    """Lay the results out for a terminal."""
    table = Table("what", "found", "standard error", "runs", "wanted", "holds")
    for each in results:
        low, high = each.wanted
        table.add_row(
            each.name,
            f"{each.value:.4f}",
            f"{each.standard_error:.4f}",
            f"{each.runs:,}",
            f"{low:g} to {high:g}" if low < high else f"{low:g}",
            "yes" if each.holds else "NO",
        )
    return table


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(CHECKS),
        help=f"names, with commas, of {', '.join(CHECKS)}; all when not given",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument(
        "--quick", action="store_true", help="few runs, as the test suite makes them"
    )
    parser.add_argument(
        "--json", nargs="?", const="-", help="print JSON, or write it to a file that is named"
    )
    parsed = parser.parse_args(arguments)
    for name in parsed.only:
        if name not in CHECKS:
            there_are = f"There are {', '.join(CHECKS)}."
            parser.error(f"there is no check {name!r}.{nearest(name, CHECKS)} {there_are}")
    return parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the checks, print what they found, and end with 1 where one does not hold."""
    asked = parse_arguments(arguments)
    cells = Cells(asked.folder, quick=asked.quick)
    results = [result for name in asked.only for result in CHECKS[name](cells)]
    if asked.json is None:
        wide = None if sys.stdout.isatty() else WIDE
        Console(width=wide).print(as_table(results))
    elif asked.json == "-":
        print(as_json(results))
    else:
        Path(asked.json).write_text(as_json(results) + "\n", encoding="utf-8")
    sys.exit(0 if all(result.holds for result in results) else 1)


if __name__ == "__main__":
    main()
