"""How numbers of labels, ratios and overlaps are written."""

import pytest

from hilt.pipeline.benchmarking import words
from hilt.pipeline.benchmarking.curves import LabelsTo
from hilt.pipeline.benchmarking.ratios import Ratio


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (LabelsTo(1234.4), "1,234"),
        (LabelsTo(10, "at_most"), "<= 10"),
        (LabelsTo(300, "more_than"), "> 300"),
    ],
)
def test_labels_needed_say_whether_they_are_a_bound(found: LabelsTo, text: str) -> None:
    assert words.needed(found) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Ratio(0.5, low=0.4, high=0.61, n=5), "0.50 (0.40 to 0.61)"),
        (Ratio(0.5, "at_most", n=5), "<= 0.50"),
        (Ratio(1.5, "at_least", n=5), ">= 1.50"),
        (Ratio(0.5, n=5, open=True), "0.50 (open)"),
        (Ratio(0.5, n=2), "0.50"),
        (Ratio(None, n=5), "-"),
    ],
)
def test_a_ratio_has_its_interval_or_says_that_it_is_a_bound(found: Ratio, text: str) -> None:
    assert words.ratio(found) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"exact": 0, "normalised": 0}, "0 of 500 test texts also occur in the pool."),
        (
            {"exact": 10, "normalised": 11},
            "10 of 500 test texts also occur in the pool; 1 more differs from one there only in"
            " case and spacing.",
        ),
    ],
)
def test_an_overlap_counts_exact_and_nearly_exact_texts(found: dict[str, int], text: str) -> None:
    assert words.overlap(found, 500) == text
