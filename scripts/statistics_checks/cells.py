"""What a simulation found, kept in a folder so that a killed run goes on."""

from __future__ import annotations

import hashlib
import json
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

import hilt
from hilt.files import read_object, write_json
from hilt.types import Floats

BY_CHANCE = 3.3  # standard errors by which one of some fifty right figures is off in a twentieth
# of all runs: the level of each is .001


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a simulation.

    Attributes:
        value: What was found.
        standard_error: By how much that would vary with other seeds.
        runs: On how many simulated projects it rests.
    """

    value: float
    standard_error: float
    runs: int

    @classmethod
    def mean(cls, values: Sequence[float] | Floats) -> Figure:
        """Average what each run gave: shape (n_runs,)."""
        each = np.asarray(values, dtype=np.float64)
        error = each.std(ddof=1) / np.sqrt(len(each))
        return cls(float(each.mean()), float(error), len(each))

    @classmethod
    def share(cls, happened: Sequence[bool] | Floats) -> Figure:
        """Say in what share of the runs it happened, with an error that no luck makes 0."""
        n = len(happened)
        hits = float(np.sum(happened))
        likely = (hits + 2) / (n + 4)
        return cls(hits / n, float(np.sqrt(likely * (1 - likely) / n)), n)

    @classmethod
    def clustered(cls, groups: Floats) -> Figure:
        """Average over projects, each of which was redrawn: shape (n_projects, n_redraws)."""
        means = groups.mean(axis=1)
        error = means.std(ddof=1) / np.sqrt(len(means))
        return cls(float(means.mean()), float(error), groups.size)

    @classmethod
    def average(cls, figures: Sequence[Figure], *, alike: bool = False) -> Figure:
        """Average figures, each of which counts as much.

        Args:
            figures: At least one.
            alike: Whether they rest on the same projects, and may all be off together.
        """
        errors = np.array([each.standard_error for each in figures])
        error = errors.mean() if alike else np.sqrt((errors**2).sum()) / len(errors)
        mean = sum(each.value for each in figures) / len(figures)
        return cls(mean, float(error), sum(each.runs for each in figures))


@dataclass(frozen=True, slots=True)
class Result:
    """A figure, and whether it is what it should be."""

    name: str
    value: float
    standard_error: float
    runs: int
    wanted: tuple[float, float]
    holds: bool


def judged(name: str, figure: Figure, low: float, high: float, slack: float = BY_CHANCE) -> Result:
    """Hold a figure against its limits.

    Args:
        name: What it is, in words.
        figure: What was found.
        low: The least that it should be.
        high: The most.
        slack: By how many standard errors it may miss them; 0 where the limits allow for chance.
    """
    spare = slack * figure.standard_error
    return Result(
        name,
        round(figure.value, 5),
        round(figure.standard_error, 5),
        figure.runs,
        (low, high),
        bool(low - spare <= figure.value <= high + spare),
    )


@dataclass(frozen=True, slots=True)
class Cells:
    """A folder of finished cells; each holds the figures of one simulation.

    Attributes:
        folder: Where they are kept.
        quick: Whether fewer runs are made, as the test suite wants it.
    """

    folder: Path
    quick: bool = False

    def runs(self, full: int, quick: int) -> int:
        """Say how many runs to make."""
        return quick if self.quick else full

    def keep(
        self, name: str, simulate: Callable[[np.random.Generator], Mapping[str, Figure]]
    ) -> dict[str, Figure]:
        """Simulate a cell, or read what it gave before this code was changed.

        Args:
            name: Of the cell; from it comes the seed.
            simulate: Gives figures by their names.
        """
        path = self.folder / f"{name}{'-quick' if self.quick else ''}.json"
        kept = read_object(path) or {}
        if kept.get("code") == fingerprint():
            return {each: Figure(**figure) for each, figure in kept["figures"].items()}
        started = time.monotonic()
        tell(f"{name}: simulating")
        figures = dict(simulate(np.random.default_rng(zlib.crc32(name.encode()))))
        tell(f"{name}: {time.monotonic() - started:.0f} s")
        self.folder.mkdir(parents=True, exist_ok=True)
        written = {each: asdict(figure) for each, figure in figures.items()}
        write_json(path, {"code": fingerprint(), "figures": written})
        return figures


@cache
def fingerprint() -> str:
    """Hash hilt's code and that of the simulations: what either made before is not to be trusted.

    The four links in the folder of hilt are followed.
    """
    package = Path(hilt.__file__).parent
    folders = [package, *(path for path in package.iterdir() if path.is_dir())]
    files = {file.resolve() for folder in folders for file in folder.resolve().rglob("*.py")}
    files |= set(Path(__file__).resolve().parent.glob("*.py"))
    code = hashlib.sha256()
    for file in sorted(files):
        code.update(file.read_bytes())
    return code.hexdigest()


def tell(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)


def as_json(results: Sequence[Result]) -> str:
    """Write results as a JSON list."""
    return json.dumps([asdict(each) for each in results], indent=2)
