"""Write docs/benchmarks.md from its template and the results that are kept beside it.

    python scripts/write_benchmarks.py

The results are the JSON files in docs/benchmarks: those of `hilt benchmark --json` by the name of
their configuration, and others that the template names. Every figure of a result in the page comes
out of one of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this also runs as a file

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hilt.figures import counted, points
from hilt.pipeline.benchmarking import words
from hilt.pipeline.benchmarking.curves import AT_LEAST, AT_MOST, LabelsTo
from hilt.pipeline.benchmarking.ratios import Ratio, geometric_mean
from scripts import benchmark_tables
from scripts.benchmark_tables import (
    SHARE,
    listed,
    number,
    share,
    spaced,
    spaced_percent,
    table,
    with_half,
)

DOCS = Path(__file__).resolve().parents[1] / "docs"
FOLDER = DOCS / "benchmarks"
PAGE = DOCS / "benchmarks.md"
TEMPLATE = "page.md.j2"
TITLES = {  # of the configurations whose results are reported, in this order
    "agnews": "AG News",
    "trec": "TREC",
    "tweet_emotion": "tweet_emotion",
    "banking77-linear": "banking77",
    "bbc": "BBC News",
}
OTHERS = ("setfit", "random", "margin", "plain")


@dataclass(frozen=True)
class Benchmark:
    """The result of `hilt benchmark` on one set of data, as its JSON has it."""

    title: str
    values: Mapping[str, Any]

    @property
    def arms(self) -> dict[str, dict[str, Any]]:
        """The arms that were run, without the proposals alone and the ceiling."""
        return {name: self.values["arms"][name] for name in self.values["area"]}

    @property
    def target(self) -> float:
        """The accuracy that most is said about."""
        return float(SHARE) * float(self.values["full_accuracy"])

    def needed(self, arm: str, target: str = SHARE) -> str:
        """Say how many labels an arm needs."""
        found = self.values["labels_to"][target].get(arm)
        return "" if found is None else words.needed(LabelsTo(**found))

    def ratio(self, arm: str, target: str | None = SHARE) -> Ratio | None:
        """Give hilt's labels over those of an arm: to a share of full, or over all budgets."""
        ratios = self.values["over_budgets" if target is None else "ratios"]
        found = (ratios if target is None else ratios[target]).get(f"hilt/{arm}")
        return None if found is None else Ratio(**found)

    def decided(self, arm: str) -> str:
        """Say whether hilt needs `fewer` or `more` labels than an arm, beyond chance, or neither.

        By the interval of the ratio over all budgets; where the curves pass no accuracy in common,
        by those of the accuracies of the one that begins above the other's end.
        """
        found, ours, other = self.ratio(arm, None), self.arms["hilt"], self.arms[arm]
        assert found is not None
        if found.value is None and ours["accuracy_low"] and other["accuracy_low"]:
            if ours["accuracy_low"][0] > max(other["accuracy_high"]):
                return "fewer"
            if other["accuracy_low"][0] > max(ours["accuracy_high"]):
                return "more"
        if found.low is not None and found.low > 1:
            return "more"
        return "fewer" if found.high is not None and found.high < 1 else ""

    def overlap(self) -> str:
        """Say how many test texts also stand in the pool."""
        return words.overlap(self.values["overlap"], self.values["test_items"])

    def kinds(self) -> str:
        """Say which student full is."""
        return spaced(f"Full is {words.ceiling(self.values['full_kind'], self.values['full'])}.")

    def seeds(self) -> str:
        """Say how many seeds the arms have."""
        most, arms = self.values["seeds"], self.arms
        fewer = [f"{arm} {each['seeds']}" for arm, each in arms.items() if each["seeds"] < most]
        return ", ".join([str(most), *fewer])

    def command(self) -> str:
        """Give the command that made it."""
        values, arms = self.values, self.arms
        names = [
            arm if each["seeds"] == values["seeds"] else f"{arm}:{each['seeds']}"
            for arm, each in arms.items()
        ]
        first = next(arm for arm in arms.values() if arm["labels"][-1] == values["budget"])
        config = values["config"]
        return (
            f"hilt benchmark configs/benchmarks/{config}.yaml --seeds {values['seeds']}"
            f" --at {','.join(map(str, first['labels']))} --arms {','.join(names)}"
            f" --ceiling {','.join(values['full'])} --json docs/benchmarks/{config}.json"
        )


@dataclass(frozen=True)
class Results:
    """Everything that is kept in a folder, and what the sets of data come to together."""

    folder: Path

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """The results that are there, in the order of the page."""
        paths = {name: self.folder / f"{name}.json" for name in TITLES}
        found = [
            Benchmark(TITLES[name], self.other(name))
            for name, path in paths.items()
            if path.exists()
        ]
        without = [each.title for each in found if "hilt" not in each.arms]
        if without:
            sys.exit(f"The result of {listed(without)} has no arm hilt; run it with one.")
        return found

    def other(self, name: str) -> Any:  # noqa: ANN401
        """Read what another file holds."""
        return json.loads((self.folder / f"{name}.json").read_text("utf-8"))

    def before(self) -> list[dict[str, Any]]:
        """List older results of sets of data that were not measured anew."""
        new = {each.values["config"] for each in self.benchmarks}
        return [each for each in self.other("before")["sets"] if each["config"] not in new]

    def titles(self) -> list[str]:
        """Name the sets that were measured."""
        return [each.title for each in self.benchmarks]

    def mean(self, arm: str, target: str | None = SHARE) -> Ratio:
        """Average the ratios over the sets that have an arm, as `Benchmark.ratio` has them."""
        ratios = [each.ratio(arm, target) for each in self.benchmarks]
        known = [ratio for ratio in ratios if ratio is not None]
        return geometric_mean(known) if known else Ratio(None)

    def compared(self) -> list[str]:
        """List the arms that hilt is compared with."""
        return [arm for arm in OTHERS if any(arm in each.arms for each in self.benchmarks)]

    def fewer(self, arm: str) -> list[str]:
        """Name the sets on which hilt needs fewer labels than an arm, beyond chance."""
        return self._decided(arm, "fewer")

    def more(self, arm: str) -> list[str]:
        """Name the sets on which hilt needs more labels than an arm, beyond chance."""
        return self._decided(arm, "more")

    def undecided(self, arm: str) -> list[str]:
        """Name the sets on which no difference can be shown."""
        return self._decided(arm, "")

    def hours(self) -> float:
        """Add up the hours of one core."""
        return float(sum(each.values["hours"] for each in self.benchmarks))

    def _decided(self, arm: str, verdict: str) -> list[str]:
        with_arm = [each for each in self.benchmarks if arm in each.arms]
        return [each.title for each in with_arm if each.decided(arm) == verdict]


def write_page(folder: Path = FOLDER) -> str:
    """Fill in the template of a folder."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=False,  # for it is Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        counted=counted,
        hours=hours,
        listed=listed,
        number=number,
        percent=spaced_percent,
        points=points,
        share=share,
        times=times,
    )
    environment.globals.update(
        tables=benchmark_tables,
        results=Results(folder),
        summary_table=summary_table,
        labels_table=labels_table,
        ratio_table=ratio_table,
        curve_table=curve_table,
        cost_table=cost_table,
    )
    return environment.get_template(TEMPLATE).render()


def summary_table(results: Results) -> str:
    """Say for each arm what the sets come to together."""
    rows = [
        [
            arm,
            words.ratio(results.mean(arm)),
            words.ratio(results.mean(arm, None)),
            listed(results.fewer(arm)) or "-",
            listed(results.undecided(arm)) or "-",
            listed(results.more(arm)) or "-",
        ]
        for arm in results.compared()
    ]
    header = [
        "against",
        f"ratio to {share(SHARE)} of full",
        "ratio over all budgets",
        "fewer labels on",
        "no difference shown on",
        "more labels on",
    ]
    return table(header, rows)


def labels_table(results: Results, target: str) -> str:
    """Say how many labels every arm needs on every set."""
    arms = ["hilt", *results.compared()]
    rows = [
        [
            each.title,
            each.seeds(),
            f"{spaced_percent(each.values['full_accuracy'])} ({each.values['full_kind']})",
            spaced_percent(float(target) * each.values["full_accuracy"]),
            *(each.needed(arm, target) for arm in arms),
        ]
        for each in results.benchmarks
    ]
    return table(["data", "seeds", "full", f"{share(target)} of it", *arms], rows)


def ratio_table(results: Results, target: str | None) -> str:
    """Give hilt's ratio to every arm on every set, to a share of full or over all budgets."""
    arms = results.compared()
    rows = []
    for each in results.benchmarks:
        found = [each.ratio(arm, target) for arm in arms]
        rows.append([each.title, *("" if ratio is None else words.ratio(ratio) for ratio in found)])
    return table(["data", *(f"hilt / {arm}" for arm in arms)], rows)


def curve_table(benchmark: Benchmark) -> str:
    """Give the accuracy of every arm at every label count up to the budget, and hilt's macro-F1."""
    counts = next(iter(benchmark.arms.values()))["labels"]
    rows = []
    for name, arm in benchmark.arms.items():
        cells = []
        for count in counts:
            place = arm["labels"].index(count)
            cells.append(with_half(arm["accuracy"][place], _half(arm, place)))
        rows.append([name, *cells])
    if "hilt" in benchmark.arms:
        macro = benchmark.arms["hilt"]["macro_f1"]
        rows.append(["hilt, macro-F1", *(points(value) for value in macro)])
    return table(["labels", *map(number, counts)], rows)


def cost_table(results: Results) -> str:
    """Give the hours of one core that every set took, and its arms."""
    arms = ["hilt", *results.compared()]
    rows = [
        [
            each.title,
            f"{each.values['hours']:.1f}",
            *(f"{each.arms[arm]['hours']:.1f}" if arm in each.arms else "" for arm in arms),
        ]
        for each in results.benchmarks
    ]
    return table(["hours of one core", "all", *arms], rows)


def times(ratio: Ratio) -> str:
    """Say a ratio in a sentence, after "needed"."""
    if ratio.value is None:
        return "a number of labels that cannot be averaged over the sets (the tables have each)"
    sign = {None: "", AT_MOST: "at most ", AT_LEAST: "at least "}[ratio.bound]
    text = f"{sign}{ratio.value:.2f} times the labels"
    if ratio.low is None or ratio.high is None:
        return f"{text} (an estimate without an interval)"
    return f"{text} (95 % interval {ratio.low:.2f} to {ratio.high:.2f})"


def hours(value: float) -> str:
    """Say how long something took."""
    return f"{value:.1f} hours"


def _half(arm: Mapping[str, Any], place: int) -> float | None:
    if arm["accuracy_low"] is None:
        return None
    return float(arm["accuracy_high"][place] - arm["accuracy_low"][place]) / 2


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
    print(f"{PAGE.relative_to(DOCS.parent)} is written.")
