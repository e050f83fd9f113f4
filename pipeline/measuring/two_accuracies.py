"""The two accuracies of a student: on items like the pool, and on what is left of the pool.

The audit draws items of the pool at random, in an order that is fixed beforehand. So what stands in
that order up to the last item that was drawn is a sample of the pool, and tells how good a student
is on items like the pool: on new items, say. What nobody has labelled yet is easier than that, for
the selector has taken the hard items out. How much easier follows by subtraction: the errors in the
pool are those on what is left, and those that the student would make on the labelled items, had it
not learnt them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.intervals import wilson

Right = npt.NDArray[np.bool_ | np.floating[Any]]  # how right: an answer may be so in part


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A share of items that is right, with its 95 % interval.

    Attributes:
        items: On how many drawn items it rests.
    """

    items: int
    accuracy: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Turn it into what JSON can hold."""
        return asdict(self)


def accuracy_on_the_pool(drawn: Right) -> Accuracy:
    """Estimate the accuracy on items like the pool.

    Args:
        drawn: Shape (n,), n at least 1: whether each item of the sample was predicted right by a
            student that did not learn its label.
    """
    right = float(drawn.sum())
    return Accuracy(len(drawn), right / len(drawn), *wilson(right, len(drawn)))


def accuracy_on_the_rest(drawn: Right, others: Right, items: int) -> Accuracy | None:
    """Estimate the accuracy on the items of the pool that have no label.

    Args:
        drawn: As for `accuracy_on_the_pool`.
        others: Shape (m,): the same of the other labelled items, which a selector took.
        items: How many the pool has.

    Returns:
        None when nothing is left. The interval allows for the chance by which the drawn items are
        unlike those that were not drawn, which is greater the more of the pool they are; what is
        said of the others is taken as it is.

    Source: Cochran 1977, section 2.5: the mean of n items drawn from a finite pool differs from
        that of the undrawn by as much as the mean of n * undrawn / items does from its expectation.
    """
    undrawn = items - len(drawn)
    left = undrawn - len(others)
    if left < 1:
        return None
    share = float(drawn.mean())
    as_many = len(drawn) * undrawn / items
    low, high = wilson(share * as_many, as_many)

    def rest(share: float) -> float:
        return float(np.clip((share * undrawn - others.sum()) / left, 0.0, 1.0))

    return Accuracy(len(drawn), rest(share), rest(low), rest(high))
