"""A benchmark as one HTML page with its curves and tables."""

from __future__ import annotations

from pathlib import Path

from hilt.figures import between, cut, percent
from hilt.pipeline.benchmarking import words
from hilt.pipeline.benchmarking.result import BenchmarkResult
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
            words=words,
        )
    )
    path.write_text(page, encoding="utf-8")
    return path


def _points(result: BenchmarkResult, name: str) -> list[Point]:
    """Take an arm's points up to the budget, where all arms can be compared."""
    arm = result.arms[name]
    points = []
    for place, (labels, mean) in enumerate(zip(arm["labels"], arm["accuracy"], strict=True)):
        text = f"{cut(name)}, {labels} labels: {percent(mean)}"
        low = high = mean
        if arm["accuracy_low"] is not None:
            low, high = arm["accuracy_low"][place], arm["accuracy_high"][place]
            text = f"{text} ({between(low, high)})"
        if labels <= result.budget:
            points.append(Point(labels, mean, low, high, text))
    return points
