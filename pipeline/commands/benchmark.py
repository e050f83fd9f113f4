"""`hilt benchmark`."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilt.errors import ConfigError
from hilt.figures import counted, percent, points, whole_percent
from hilt.outputs import LEDGER, Ledger, output_file
from hilt.pipeline.commands.options import Debug, Device, Force
from hilt.pipeline.commands.streams import json_value
from hilt.pipeline.commands.terminal import Bars, say, show_table

if TYPE_CHECKING:
    from hilt.pipeline.benchmarking.benchmark import BenchmarkResult

GROWTH = 1.4  # from one label count to the next, once that is more than a batch


def benchmark(
    config: Annotated[Path, typer.Argument(help="A configuration with `pool.label` and `test`.")],
    arms: Annotated[
        str,
        typer.Option(
            help="What to compare, separated by commas: `hilt` (the configured selector),"
            " `setfit` (random labels and an encoder tuned on them, without proposals),"
            " `plain` (random labels and logistic regression on the same embeddings), or"
            " names of selectors. NAME:N runs an arm with only N seeds. The results of the"
            " proposals alone and of all labels are always shown too."
        ),
    ] = "hilt,setfit,random,margin,plain",
    budget: Annotated[int, typer.Option(help="Number of labels at which to stop.", min=1)] = 300,
    at: Annotated[
        str,
        typer.Option(
            help="Label counts at which to train and measure, separated by commas, each the"
            " end of one batch. By default every batch at first, then at growing distances"
            " (25, 50, 75, 100, 150, 200, ...), because each later training takes longer."
            " More can be added at the end later.",
            show_default=False,
        ),
    ] = "",
    seeds: Annotated[
        int, typer.Option(help="Number of repetitions, each with its own seed.", min=1)
    ] = 5,
    processes: Annotated[
        int, typer.Option(help="Number of runs in parallel; 0 means one per processor.", min=0)
    ] = 0,
    ceiling: Annotated[
        str,
        typer.Option(
            help="Kinds of student to train on all labels of the pool, separated by commas. By"
            " default all kinds that the configuration may use; this takes longest.",
            show_default=False,
        ),
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option(
            help="The folder that keeps the runs, so that the same command can continue."
            " Default: `hilt-benchmark-NAME`.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result to this file.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="The file for the page with the curves. Default: beside the runs.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Run the loop with a known answer key, and compare it with what you would do otherwise.

    Every arm starts without labels on the same pool, with the same seeds and the same student. The
    simulated reviewer answers from `pool.label`, and students are measured on `test`. Finished runs
    are reused; seeds, arms and label counts can be added.
    """
    from hilt.files import write_json
    from hilt.pipeline.benchmarking.benchmark import ALWAYS, BenchmarkPlan
    from hilt.pipeline.benchmarking.benchmark import benchmark as run
    from hilt.pipeline.benchmarking.page import write_page
    from hilt.pipeline.configuration.reading import load_config

    folder = folder or Path(f"hilt-benchmark-{config.stem}")
    named, fewer_seeds = _arms(arms)
    plan = BenchmarkPlan(
        arms=tuple(arm for arm in named if arm not in ALWAYS),
        at=_counts(at, budget, load_config(config).batch.size),
        seeds=seeds,
        processes=processes or os.cpu_count() or 1,
        ceiling=_names(ceiling),
        fewer_seeds=fewer_seeds,
    )
    bars, ledger = Bars(), Ledger(folder / LEDGER)

    def place(path: Path | None, force: bool = force) -> AbstractContextManager[Path | None]:
        if path is None:
            return nullcontext()
        return output_file(path, force=force, ledger=ledger, inputs=(config,), note=bars.note)

    with place(json) as json_file, place(html) as html_file:  # checked before hours of work
        result = run(config, folder, plan, device=device, progress=bars)
        if json_file is not None:
            write_json(json_file, json_value(result))
        if html_file is not None:
            write_page(result, html_file)
    page = html or folder / "benchmark.html"
    if html is None:
        with place(page, force=page.exists() and not ledger.knows(page)) as own_page:
            write_page(result, own_page or page)
    _show(result)
    say(f"The curves are in {page}.")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _arms(text: str) -> tuple[list[str], dict[str, int]]:
    """Read the names of arms, and how many seeds those have that say so."""
    names, fewer = [], {}
    for each in _names(text):
        name, _, seeds = each.rpartition(":")
        if name and seeds.isdecimal():
            fewer[name] = int(seeds)
            names.append(name)
        else:
            names.append(each)  # `package.module:Class` among them
    return names, fewer


def _counts(at: str, budget: int, size: int) -> tuple[int, ...]:
    """Read label counts, or space them: batch by batch at first, then ever further apart."""
    if at:
        try:
            return tuple(int(count) for count in at.split(","))
        except ValueError:
            raise ConfigError(
                f"--at is {at!r}; write label counts separated by commas, such as 50,100,200."
            ) from None
    counts, count = [], min(size, budget)
    while count < budget:
        counts.append(count)
        count = size * max(count // size + 1, round(count * GROWTH / size))
    return (*counts, budget)


def _show(result: BenchmarkResult) -> None:
    from hilt.pipeline.benchmarking import words

    say(
        f"{result.config}: {counted(result.items, 'item')},"
        f" {counted(result.labels, 'label')}, {counted(result.seeds, 'seed')}; the student"
        f" trained on all labels reaches {percent(result.full_accuracy)}, the proposals alone"
        f" {percent(result.arms['proposer']['accuracy'][0])}. That student is"
        f" {words.ceiling(result.full_kind, result.full)}."
        f" {words.overlap(result.overlap, result.test_items)}"
    )
    names = list(result.area)
    show_table("Accuracy", ["labels", *names], _accuracy_rows(result, names))
    show_table(
        "Labels needed",
        ["share of the accuracy with all labels", *names],
        _target_rows(result, names),
    )
    say(words.ABOUT_LABELS)
    if result.over_budgets:
        pairs = list(result.over_budgets)
        show_table(
            "Labels that hilt needs, divided by those that others need",
            ["", *pairs],
            _ratio_rows(result),
        )
        say(words.ABOUT_RATIOS)
    for arm, counts in result.against.items():
        say(
            f"hilt against {arm}, compared by the area under the curve:"
            f" {counted(counts['wins'], 'win')}, {counted(counts['ties'], 'tie')},"
            f" {counted(counts['losses'], 'loss', 'losses')}."
        )
    say(f"Everything took {result.hours:.2f} hours of one processor core.")


def _accuracy_rows(result: BenchmarkResult, names: list[str]) -> list[list[str]]:
    counts = sorted({n for name in names for n in result.arms[name]["labels"]})
    rows = []
    for count in counts:
        cells = [f"{count:,}"]
        for name in names:
            arm = result.arms[name]
            at = arm["labels"].index(count) if count in arm["labels"] else None
            cells.append("" if at is None else _with_interval(arm, at))
        rows.append(cells)
    return rows


def _with_interval(arm: dict[str, Any], at: int) -> str:
    if arm["accuracy_low"] is None:
        return percent(arm["accuracy"][at])
    half = (arm["accuracy_high"][at] - arm["accuracy_low"][at]) / 2
    return f"{percent(arm['accuracy'][at])} ±{points(half)}"


def _target_rows(result: BenchmarkResult, names: list[str]) -> list[list[str]]:
    from hilt.pipeline.benchmarking.words import needed

    return [
        [
            f"{whole_percent(float(share))} ({percent(float(share) * result.full_accuracy)})",
            *(needed(found[name]) for name in names),
        ]
        for share, found in result.labels_to.items()
    ]


def _ratio_rows(result: BenchmarkResult) -> list[list[str]]:
    from hilt.pipeline.benchmarking.words import ratio

    return [
        *(
            [f"to {whole_percent(float(share))}", *map(ratio, found.values())]
            for share, found in result.ratios.items()
        ),
        ["over all budgets", *map(ratio, result.over_budgets.values())],
    ]
