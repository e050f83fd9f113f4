"""Where chance comes from: every purpose has a stream of its own, and no two share one.

A generator is made from the seed of the configuration and the number of its stream, so that what
is drawn for one purpose never depends on what is drawn for another. The numbers stand in
workspaces, by what was drawn from them: give a new purpose a new number, and change none.
"""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np


@unique
class Stream(IntEnum):
    """What is drawn, by the number of its stream."""

    AUDIT = 1  # the order of the audit in an older workspace; see `item_draws.py`
    BATCH = 2  # what is in a batch, by its number
    TRAINING = 3  # everything in a training, by its cycle
    AGREEMENT = 4  # the items on which the agreement of proposers is measured
    LIMIT = 5  # once the items that a limited proposer is asked about; no longer drawn from
    ESTIMATE = 6  # the texts from which costs are estimated
    BOOTSTRAP = 7  # the intervals of the agreement between people
    GRAPH = 8  # the lists in which neighbours are looked for, whatever the seed
    CHECK = 9  # once the inherited labels that are checked; no longer drawn from
    ADVANTAGE = 10  # the random labels that chosen ones are compared with, by the cycle
    COST = 11  # the folds in which review time is predicted
    ORDER = 12  # the order of a batch and the items that explain it, by its number
    MAP = 13  # the items on the map of the pool
    SUCCESSION = 14  # the items on which two students are compared
    DEMO = 15  # the random labels that the demo compares with, by the draw
    PLAIN = 16  # the random labels of a benchmark's plain and setfit arms; folds, by count
    CEILING = 17  # what is held out to tune and choose the student of all labels
    RATIO = 18  # once the intervals of a benchmark's ratios; no longer drawn from


def generator(seed: int, stream: Stream, *number: int) -> np.random.Generator:
    """Make the generator of a stream.

    Args:
        seed: Of the configuration.
        stream: What for.
        number: Of the batch, cycle or draw, where each has its own.
    """
    return np.random.default_rng([seed, int(stream), *number])


def seedless_generator(stream: Stream) -> np.random.Generator:
    """Make the generator of a stream that is the same for every seed."""
    return np.random.default_rng(int(stream))
