import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.reporting.charts import Point, learning_curve, reliability_diagram, ticks_between


@given(st.floats(0, 1e6), st.floats(0.01, 1e6))
def test_ticks_enclose_the_values_and_are_few(low: float, width: float) -> None:
    ticks = ticks_between(low, low + width)

    assert ticks[0] <= low * (1 + 1e-6) + 1e-6
    assert ticks[-1] >= (low + width) * (1 - 1e-6) - 1e-6
    assert list(ticks) == sorted(set(ticks))
    assert 2 <= len(ticks) <= 8


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 100, (0, 20, 40, 60, 80, 100)),
        (0.741, 0.857, (0.725, 0.75, 0.775, 0.8, 0.825, 0.85, 0.875)),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert ticks_between(low, high) == ticks


def test_a_curve_stays_inside_its_axes() -> None:
    points = [Point(25, 0.5, 0.3, 0.7, "a"), Point(50, 1.0, 0.9, 1.0, "b")]

    chart = learning_curve({"student": points})

    (series,) = chart.series
    assert chart.x.start < series.marks[0].x < series.marks[1].x <= chart.x.stop
    assert chart.y.stop <= series.marks[1].high <= series.marks[0].high <= chart.y.start
    assert len(series.band.split()) == 4


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0])
def test_a_single_point_without_width_can_be_drawn(accuracy: float) -> None:
    chart = learning_curve({"student": [Point(1, accuracy, accuracy, accuracy, "a")]})

    assert chart.series[0].band == ""
    assert 0 <= chart.y.low < chart.y.high <= 1


def test_a_well_calibrated_bin_has_no_gap() -> None:
    chart = reliability_diagram([{"share": 1.0, "confidence": 0.8, "accuracy": 0.8}])

    (mark,) = chart.series[0].marks
    assert mark.low == mark.high == mark.y
