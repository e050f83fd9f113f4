"""Pools with made-up proposals."""

from dataclasses import replace

from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.types import Floats, SelectionView


def single_of(probabilities: Floats) -> Single:
    """The task `single` with as many labels as these rows have columns."""
    return Single(tuple(f"label {number}" for number in range(probabilities.shape[1])))


def proposing(view: SelectionView, probabilities: Floats) -> SelectionView:
    """The same pool with other proposals."""
    return replace(view, proposal=Rows(probabilities), task=single_of(probabilities))
