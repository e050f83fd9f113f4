"""A benchmark as one HTML page with its curves and tables."""

from __future__ import annotations

from pathlib import Path

from hilt.pipeline.benchmarking.benchmark import BenchmarkResult
from hilt.pipeline.figures import between, cut, percent
from hilt.pipeline.reporting import charts
from hilt.pipeline.reporting.charts import Point, learning_curve
from hilt.pipeline.reporting.pages import page_environment


def write_page(result: BenchmarkResult, path: Path) -> Path:
    """Write a self-contained page and return where it is."""
    names = list(result.area)
    page = (
        page_environment()
        .get_template("benchmark.html")
        .render(
            result=result,
            names=names,
            chart=learning_curve({name: _points(result, name) for name in names}),
            box=charts,
        )
    )
    path.write_text(page, encoding="utf-8")
    return path


def _points(result: BenchmarkResult, name: str) -> list[Point]:
    """Take an arm's points up to the budget, where all arms can be compared."""
    arm = result.arms[name]
    columns = (arm["labels"], arm["accuracy"], arm["accuracy_low"], arm["accuracy_high"])
    return [
        Point(
            labels,
            mean,
            low,
            high,
            f"{cut(name)}, {labels} labels: {percent(mean)} ({between(low, high)})",
        )
        for labels, mean, low, high in zip(*columns, strict=True)
        if labels <= result.budget
    ]
