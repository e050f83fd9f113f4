"""Answers of one label each, by the positions of labels, as most tests have them."""

from collections.abc import Iterable

from hilt.metrics import Measure, measure
from hilt.pipeline.workspace.workspace import Workspace
from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.types import Floats, Integers, Value
from hilt.values import in_words, value_of


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


def known_labels(workspace: Workspace) -> dict[str, str]:
    """Read the answer key of a workspace: ids to labels."""
    known = workspace.pool.known_answers(workspace.task)
    return dict(zip(workspace.pool.ids(list(known)), map(in_words, known.values()), strict=True))


def known_positions(workspace: Workspace) -> Integers:
    """Read the answer key of a workspace in which every item has one: shape (n_items,)."""
    return workspace.config.positions_of(list(known_labels(workspace).values()))
