"""The decision about one item of a group, for the others.

Nothing of this is stored. An inherited label is derived from decisions and groups whenever it is
asked for, so it is gone once the decision is taken back, the item is decided itself, or the
thresholds part it from its group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hilt.intervals import wilson
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.types import Floats, Integers, Value

Carry = Callable[[ItemLabel, int], Value | None]  # from where, to the item of which index

MAX_WRONG = 0.1  # share of inherited labels that may be wrong before it is pointed out


@dataclass(frozen=True, slots=True)
class Inherited:
    """What items inherit.

    Attributes:
        indices: Shape (m,), ascending; none of these did people decide.
        origins: The m item labels that they have them from.
        values: The m answers, as they hold for these items.
    """

    indices: Integers
    origins: tuple[ItemLabel, ...]
    values: tuple[Value, ...]

    def __len__(self) -> int:
        return len(self.origins)


@dataclass(frozen=True, slots=True)
class Check:
    """How often people who saw nothing agree with the label that an item would have inherited.

    Attributes:
        checked: Items of a group that were decided blind after another had been labelled.
        right: Those with the same label as that other.
        low: Lower end of the 95 % interval for the share that is right (Wilson).
        high: Upper end.
    """

    checked: int
    right: int
    low: float
    high: float

    @property
    def doubtful(self) -> bool:
        """Whether some were wrong, and it may be that too many are."""
        return self.right < self.checked and 1 - self.low > MAX_WRONG


def settled_groups(files: WorkspaceFiles, labels: Sequence[ItemLabel]) -> Integers:
    """Say which items share a decision now.

    Returns:
        Shape (n_items,), each item's representative. A group whose items people labelled
        differently has fallen apart: there only the same text makes a group.
    """
    groups = files.groups
    apart = contested(groups, labels, carrying(files))
    return np.where(np.isin(groups, apart), files.pool.groups, groups) if apart else groups


def one_of_each(groups: Integers, free: npt.NDArray[np.bool_]) -> Integers:
    """Pick the item of every group that should be asked.

    Args:
        groups: Shape (n_items,), the representative of each item.
        free: Shape (n_items,), which items may be asked.

    Returns:
        Ascending indices: the representative, for the others are near it and maybe not near each
        other; where it is not free, the first item that is.
    """
    indices = np.flatnonzero(free)
    representatives = groups[indices]
    others = indices[~free[representatives]]
    _, first = np.unique(groups[others], return_index=True)
    return np.sort(np.concatenate([indices[representatives == indices], others[first]]))


def as_it_is(origin: ItemLabel, _: int) -> Value | None:
    """Carry an answer over to another item as it is."""
    return origin.value


def carrying(files: WorkspaceFiles) -> Carry:
    """Say how an answer is carried over to another item of its group.

    An answer without places is about the whole item, and stays as it is; of others the task
    decides, for which the two items are read.
    """

    def carry(origin: ItemLabel, index: int) -> Value | None:
        value = origin.value or ()
        if origin.index == index or not any(part.place for part in value):
            return origin.value
        source, target = files.pool.contents([origin.index, index])
        return files.task.answers.transfer(value, source, target)

    return carry


def inherit(groups: Integers, labels: Sequence[ItemLabel], carry: Carry = as_it_is) -> Inherited:
    """Hand the labels that people gave to the undecided items of the same groups.

    A group hands nothing on when people labelled its items differently: for one text that is
    disagreement, and for near-duplicates it says that they are none.

    Args:
        groups: Shape (n_items,), from `settled_groups`.
        labels: What people and machines decided; a machine's label is not handed on.
        carry: From `carrying`; an item to which nothing can be carried over inherits nothing.
    """
    origins = _first_labelled(groups, labels)
    for group in contested(groups, labels, carry):
        del origins[group]
    members = np.flatnonzero(np.isin(groups, list(origins)))
    decided = [each.index for each in labels if not each.machine]
    members = members[~np.isin(members, decided)]
    handed = [origins[group] for group in groups[members].tolist()]
    values = [carry(origin, each) for origin, each in zip(handed, members.tolist(), strict=True)]
    kept = np.flatnonzero([value is not None for value in values])
    return Inherited(
        members[kept],
        tuple(handed[place] for place in kept),
        tuple(value for value in values if value is not None),
    )


def to_check(inherited: Inherited, drawn: Floats, share: float) -> Integers:
    """List the items that are to be asked although they inherit, in the order of asking.

    Args:
        inherited: What items inherit.
        drawn: Shape (m,), the draw of each item for this purpose, in [0, 1). It belongs to the
            item, so which items are asked does not depend on when they came to inherit.
        share: How many of the items to ask, in [0, 1].
    """
    order = np.argsort(drawn, kind="stable")
    return inherited.indices[order[drawn[order] < share]]


def check(groups: Integers, labels: Sequence[ItemLabel], carry: Carry = as_it_is) -> Check | None:
    """Compare what people said blind with the label that the item would have inherited.

    Args:
        groups: Shape (n_items,), as they are before contested ones fall apart.
        labels: What was decided. Items of the audit slice count where another item of their
            group was labelled before.
        carry: From `carrying`.

    Returns:
        None while there is nothing to compare.
    """
    origins = _first_labelled(groups, labels)
    right = [
        each.value == carried
        for each in labels
        if each.by_people and each.blind
        if (origin := origins[int(groups[each.index])]) is not each
        if (carried := carry(origin, each.index)) is not None
    ]
    return Check(len(right), sum(right), *wilson(sum(right), len(right))) if right else None


def _first_labelled(groups: Integers, labels: Sequence[ItemLabel]) -> dict[int, ItemLabel]:
    """Find in every group the item that people labelled first."""
    first: dict[int, ItemLabel] = {}
    for each in sorted(labels, key=lambda each: each.decision):
        if each.by_people:
            first.setdefault(int(groups[each.index]), each)
    return first


def contested(groups: Integers, labels: Sequence[ItemLabel], carry: Carry = as_it_is) -> list[int]:
    """List the groups whose items people labelled differently.

    Answers that cannot be carried over from one to the other are no contradiction.
    """
    first = _first_labelled(groups, labels)
    labelled = ((int(groups[each.index]), each) for each in labels if each.by_people)
    return sorted(
        {
            group
            for group, each in labelled
            if carry(first[group], each.index) not in (None, each.value)
        }
    )
