"""Answers of one label each, by the positions of labels, as most tests have them."""

from collections.abc import Iterable

from hilt.metrics import Measure, measure
from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.types import Floats, Integers, Value
from hilt.values import value_of


def single(n_labels: int) -> Single:
    """The task `single` with so many labels."""
    return Single(tuple(f"label {position}" for position in range(n_labels)))


def values_of(positions: Iterable[int]) -> list[Value]:
    """Turn positions into answers."""
    return [value_of(f"label {position}") for position in positions]


def measured(probabilities: Floats, positions: Integers) -> Measure:
    """Compare probabilities, shape (n, n_labels), with the positions of the true labels."""
    task = single(probabilities.shape[1])
    return measure(task, Rows(probabilities), values_of(positions), [""] * len(positions))
