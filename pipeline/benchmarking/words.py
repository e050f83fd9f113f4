"""How the table, the page and the docs write numbers of labels and their ratios."""

from __future__ import annotations

from hilt.figures import counted, percent
from hilt.pipeline.benchmarking.curves import AT_MOST, LabelsTo
from hilt.pipeline.benchmarking.ratios import Ratio

ABOUT_LABELS = (
    "The labels that an arm needs for an accuracy are read off its mean curve over the seeds, which"
    " is first made to rise, on a line over the logarithm of the number of labels. Audit labels"
    ' count. "<= 10" means that the accuracy was reached at the first count that was measured, and'
    ' "> 300" that it was not at the last.'
)
ABOUT_RATIOS = (
    "The labels that hilt needs divided by those that the other arm needs: below 1, hilt needs"
    " fewer. In brackets is the 95 % interval over seeds (jackknife-t), from 3 seeds on."
    ' "<=" and ">=" are bounds, where a curve does not cross the accuracy; they have no interval.'
    ' "(open)" means that there is no ratio without one of the seeds, and so no interval; "-", that'
    ' the ratio is unknown. "Over all budgets" averages the ratio over every accuracy that both'
    " curves reach, and so depends on no target."
)


def needed(found: LabelsTo) -> str:
    """Write a number of labels.

    >>> needed(LabelsTo(1234.0)), needed(LabelsTo(9, "at_most")), needed(LabelsTo(99, "more_than"))
    ('1,234', '<= 9', '> 99')
    """
    sign = {None: "", AT_MOST: "<= "}.get(found.bound, "> ")
    return f"{sign}{found.labels:,.0f}"


def ratio(found: Ratio) -> str:
    """Write a ratio.

    >>> ratio(Ratio(0.5, low=0.4, high=0.625, n=5)), ratio(Ratio(0.5, "at_most", n=5))
    ('0.50 (0.40 to 0.62)', '<= 0.50')
    """
    if found.value is None:
        return "-"
    if found.bound is not None:
        return f"{'<=' if found.bound == AT_MOST else '>='} {found.value:.2f}"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}{' (open)' if found.open else ''}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def overlap(found: dict[str, int], test_items: int) -> str:
    """Say how many test texts a student may have learnt by heart."""
    exact, alike = found["exact"], found["normalised"] - found["exact"]
    also = "occurs" if exact == 1 else "occur"
    text = f"{exact} of {counted(test_items, 'test text')} also {also} in the pool"
    if not alike:
        return f"{text}."
    differ = "differs" if alike == 1 else "differ"
    return f"{text}; {alike} more {differ} from one there only in case and spacing."


def ceiling(kind: str, full: dict[str, dict[str, float]]) -> str:
    """Say which kind of student is the ceiling, and why."""
    tried = ", ".join(
        f"{each} {percent(found['held_out_accuracy'])} there and {percent(found['accuracy'])} on"
        " the test set"
        for each, found in full.items()
    )
    return f"{kind}, chosen by its accuracy on held-out labels of the pool ({tried})"
