"""Where the marks of a chart stand, in the units of an SVG; a template draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt

from hilt.figures import percent

WIDTH, HEIGHT = 440, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 426, 12, 238
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale.

    Attributes:
        low: The value at `start`.
        high: The value at `stop`.
        start: Where the scale begins, in SVG units.
        stop: Where it ends; smaller than `start` on an upright axis.
        ticks: Values that are marked, ascending.
    """

    low: float
    high: float
    start: float
    stop: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Turn a value into SVG units."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value, with the interval around it."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One point in SVG units; `low` and `high` are the ends of its whisker."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together.

    Attributes:
        line: The points as an SVG polyline.
        band: The intervals as an SVG polygon, empty when a band would have no width.
    """

    name: str
    marks: tuple[Mark, ...]
    line: str
    band: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two axes and what is drawn between them."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]


def ticks_between(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """List round values whose first and last enclose `low` and `high`, about `most` of them."""
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in STEPS if factor * power >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return tuple(round(number * step, 10) for number in range(first, last + 1))


def learning_curve(lines: Mapping[str, Sequence[Point]]) -> Chart:
    """Lay out accuracy over the number of labels.

    Args:
        lines: Points of each line by its name, at least one in all, x ascending.
    """
    points = [point for line in lines.values() for point in line]
    low = min(min(point.low, point.y) for point in points)
    high = max(max(point.high, point.y) for point in points)
    y_ticks = ticks_between(max(0.0, min(low, high - 0.05)), min(1.0, max(high, low + 0.05)))
    x_ticks = ticks_between(0, max(point.x for point in points))
    chart_x = Axis(0, x_ticks[-1], LEFT, RIGHT, x_ticks)
    chart_y = Axis(y_ticks[0], y_ticks[-1], BOTTOM, TOP, y_ticks)
    return Chart(
        chart_x,
        chart_y,
        tuple(_series(name, line, chart_x, chart_y) for name, line in lines.items()),
    )


def reliability_diagram(bins: Sequence[Mapping[str, float]]) -> Chart:
    """Lay out accuracy over confidence; a mark's area is its share, its whisker the gap.

    Args:
        bins: Each with `share`, `confidence` and `accuracy`.
    """
    ticks = ticks_between(0, 1)
    x, y = Axis(0, 1, LEFT, RIGHT, ticks), Axis(0, 1, BOTTOM, TOP, ticks)
    marks = tuple(
        Mark(
            x=x.place(row["confidence"]),
            y=y.place(row["accuracy"]),
            low=y.place(row["confidence"]),
            high=y.place(row["accuracy"]),
            radius=round(3 + 13 * sqrt(row["share"]), 1),
            text=f"{percent(row['share'])} of the items: confidence {percent(row['confidence'])},"
            f" right {percent(row['accuracy'])}",
        )
        for row in bins
    )
    return Chart(x, y, (Series("student", marks, "", ""),))


def _series(name: str, points: Sequence[Point], x: Axis, y: Axis) -> Series:
    marks = tuple(
        Mark(x.place(p.x), y.place(p.y), y.place(p.low), y.place(p.high), 3.5, p.text)
        for p in points
    )
    upper = [(mark.x, mark.high) for mark in marks]
    lower = [(mark.x, mark.low) for mark in reversed(marks)]
    return Series(
        name=name,
        marks=marks,
        line=_joined([(mark.x, mark.y) for mark in marks]),
        band=_joined(upper + lower) if len(marks) > 1 else "",
    )


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
