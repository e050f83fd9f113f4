"""`hilt benchmark`."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.errors import ConfigError
from hilt.outputs import LEDGER, Ledger, output_file
from hilt.pipeline.commands.options import Debug, Device, Force
from hilt.pipeline.commands.streams import json_value
from hilt.pipeline.commands.terminal import Bars, say, show_table
from hilt.pipeline.figures import counted, percent, points, whole_percent

if TYPE_CHECKING:
    from hilt.pipeline.benchmarking.benchmark import BenchmarkResult

GROWTH = 1.4  # from one label count to the next, once that is more than a batch


def benchmark(
    config: Annotated[Path, typer.Argument(help="A configuration with `pool.label` and `test`.")],
    arms: Annotated[
        str,
        typer.Option(
            help="What to compare, with commas: `hilt` (the configured selector), `plain` (random"
            " labels and logistic regression on the same embeddings), or names of selectors. The"
            " proposals alone, and all labels, are always beside them."
        ),
    ] = "hilt,random,margin,plain",
    budget: Annotated[int, typer.Option(help="Labels at which to stop.", min=1)] = 300,
    at: Annotated[
        str,
        typer.Option(
            help="Label counts at which to train and measure, with commas, each the end of one"
            " batch. By default every batch at first, then ever larger ones (25, 50, 75, 100, 150,"
            " 200, ...), because each later training takes longer.",
            show_default=False,
        ),
    ] = "",
    seeds: Annotated[int, typer.Option(help="How often to repeat everything.", min=1)] = 5,
    processes: Annotated[
        int, typer.Option(help="Number of runs in parallel; 0 means one per processor.", min=0)
    ] = 0,
    ceiling: Annotated[
        str,
        typer.Option(
            help="Kinds of student to train on every label of the pool, with commas; by default"
            " all that the configuration may use, which takes longest of all.",
            show_default=False,
        ),
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept, so that the same command goes on; `hilt-benchmark-NAME` by"
            " default.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result to this file.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Where the page with the curves goes; beside the runs by default.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Run the loop with a known answer key, and compare it with what you would do otherwise.

    Every arm starts without labels on the same pool, with the same seeds and the same student;
    the simulated reviewer answers from `pool.label`, and students are measured on `test`. Runs
    that are there already are not made again.
    """
    from hilt.files import write_json
    from hilt.pipeline.benchmarking.benchmark import ALWAYS, BenchmarkPlan
    from hilt.pipeline.benchmarking.benchmark import benchmark as run
    from hilt.pipeline.benchmarking.page import write_page
    from hilt.pipeline.configuration.reading import load_config

    folder = folder or Path(f"hilt-benchmark-{config.stem}")
    plan = BenchmarkPlan(
        arms=tuple(arm for arm in _names(arms) if arm not in ALWAYS),
        at=_counts(at, budget, load_config(config).batch.size),
        seeds=seeds,
        processes=processes or os.cpu_count() or 1,
        ceiling=_names(ceiling),
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


def _counts(at: str, budget: int, size: int) -> tuple[int, ...]:
    """Read label counts, or space them: batch by batch at first, then ever further apart."""
    if at:
        try:
            return tuple(int(count) for count in at.split(","))
        except ValueError:
            raise ConfigError(
                f"--at is {at!r}; write label counts with commas, such as 50,100,200."
            ) from None
    counts, count = [], min(size, budget)
    while count < budget:
        counts.append(count)
        count = size * max(count // size + 1, round(count * GROWTH / size))
    return (*counts, budget)


def _show(result: BenchmarkResult) -> None:
    say(
        f"{result.config}: {counted(result.items, 'item')}, {counted(result.labels, 'label')},"
        f" {counted(result.seeds, 'seed')};"
        f" the best student on every label has {percent(result.full_accuracy)}, the"
        f" proposals alone {percent(result.arms['proposer']['accuracy'][0])}."
    )
    names = list(result.area)
    show_table("Accuracy", ["labels", *names], _accuracy_rows(result, names))
    columns = [
        "share of all labels'",
        *names,
        *(f"hilt/{name}" for name in names if name != "hilt"),
    ]
    show_table("Labels to", columns, _target_rows(result, names))
    for arm, counts in result.against.items():
        say(
            f"hilt against {arm}, by the area under the curve: "
            f" {counted(counts['wins'], 'win')}, {counted(counts['ties'], 'tie')},"
            f" {counted(counts['losses'], 'loss', 'losses')}."
        )


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


def _with_interval(arm: dict[str, list[float]], at: int) -> str:
    half = (arm["accuracy_high"][at] - arm["accuracy_low"][at]) / 2
    return f"{percent(arm['accuracy'][at])} ±{points(half)}"


def _target_rows(result: BenchmarkResult, names: list[str]) -> list[list[str]]:
    rows = []
    for share, needed in result.labels_to.items():
        cells = [f"{whole_percent(float(share))} ({percent(float(share) * result.full_accuracy)})"]
        for name in names:
            labels = needed[name]
            cells.append("not reached" if labels is None else f"{labels:,.0f}")
        cells += [_ratio(found) for found in result.ratios[share].values()]
        rows.append(cells)
    return rows


def _ratio(found: dict[str, float | None]) -> str:
    if found["at_most"] is not None:
        return f"below {found['at_most']:.2f}"
    if found["ratio"] is None:
        return "not reached"
    low, high = (("?" if end is None else f"{end:.2f}") for end in (found["low"], found["high"]))
    return f"{found['ratio']:.2f} ({low}-{high})"
