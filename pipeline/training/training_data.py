"""What a student is trained from: labels, proposals, and items that nobody labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hilt.errors import ExtensionError
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.students.base import Examples, take
from hilt.rows import Rows
from hilt.tasks.base import Targets, Task
from hilt.types import Floats, Integers, Items, Value

Said = Sequence[Rows]  # what each proposer says of the same items


@dataclass(frozen=True)
class TrainingData:
    """Everything that a student may learn from.

    Attributes:
        task: The shape of an answer.
        labelled: The n items that have a label.
        values: What people said of each of them.
        groups: Shape (n,); near-duplicates are equal, and never on both sides of a fold.
        proposals: What each of p proposers says of them, the student not among these; NaN rows are
            abstentions.
        unlabelled: A random m of the other items of the pool.
        unlabelled_proposals: The same for those.
        trust: How much each of the p proposers counts before there are labels.
        descriptions: The label descriptions as items, one per label: each is an example of
            its label, so that no label is ever unknown to a student. Without embeddings they are
            none, for items and descriptions have no common space.
        audit: Places among the labelled items of those that were drawn at random, to measure by.
        retaught: Gives `unlabelled_proposals` of proposers that know the labels of some of the
            labelled items alone; None where none of them learns.
    """

    task: Task
    labelled: Items
    values: Sequence[Value]
    groups: Integers
    proposals: Said
    unlabelled: Items
    unlabelled_proposals: Said
    trust: Trust
    descriptions: Items
    audit: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    retaught: Callable[[Integers], Said] | None = None

    def __len__(self) -> int:
        return len(self.labelled)

    @property
    def n_labels(self) -> int:
        """How many labels the task has."""
        return len(self.task.labels)

    @cached_property
    def targets(self) -> Targets:
        """What is true of the labelled items, each with weight 1.

        Raises:
            ExtensionError: If the task encodes an answer as anything but one choice in each unit.
        """
        targets = self.task.rows.encode(self.values, self.labelled.contents)
        units = self.units(targets.rows)
        if not ((units == 0) | (units == 1)).all():
            raise ExtensionError(
                f"The task {self.task.name!r} encodes an answer as probabilities; in each unit one"
                " choice must have 1, and all others 0."
            )
        return targets

    @cached_property
    def strata(self) -> Integers:
        """What kind of answer each labelled item has: shape (n,)."""
        return self.task.rows.strata(self.targets.rows)

    def units(self, said: Rows) -> Floats:
        """Turn rows into distributions, each of which can be right or wrong: (n_units, n_choices).

        Temperatures and weights are fitted on these, whatever an answer consists of.
        """
        return self.task.rows.units(said).values

    def true_units(self, places: Integers) -> Integers:
        """Say which choice is right in each unit of the labelled items at some places.

        These are what people said, which is sure of one: a guess of self-training is no target.
        """
        return np.asarray(self.units(self.targets.rows.take(places)).argmax(axis=1))

    def deal(self, folds: int, rng: np.random.Generator) -> Integers:
        """Deal the labelled items into folds, those of the audit without regard to their labels.

        Spread by label, an audit item would find more of its own label among what a student learns
        than a new item does, for what is held out has its share already. With 50 audit labels
        alone, 6 labels and 5 folds, that flattered the student by 4 points.

        Returns:
            Shape (n,), each item's fold, in [0, folds).
        """
        spread_by = self.strata.copy()
        spread_by[self.audit] = spread_by.max(initial=0) + 1  # as if that were a label of its own
        return assign_folds(spread_by, self.groups, folds, rng)

    def described(self) -> Examples:
        """One example per label: its description; none where these are not like items."""
        targets = self.task.rows.described()
        if self.descriptions.embeddings is None or targets is None:
            nothing = np.empty(0, dtype=np.int64)
            return self.guessed(nothing, self.targets.rows.take(nothing), 1.0)
        return Examples(self.descriptions, targets, tuple(range(self.n_labels)))

    def known(self, rows: Integers, balance: float = 0.0) -> Examples:
        """The labelled items at these rows, with what people said.

        Args:
            rows: Which of the labelled items.
            balance: 0 weighs every item alike, 1 every label, and a half is between the two.
        """
        strata = self.strata[rows]
        rarity = np.bincount(strata)[strata] ** -float(balance)
        weights = rarity * len(rows) / max(rarity.sum(), 1e-9)  # 1 on average
        targets = Targets(self.targets.rows.take(rows), weights.astype(np.float32))
        return Examples(take(self.labelled, rows), targets)

    def proposed(self, rows: Integers) -> Said:
        """What proposers that know the labels at some rows alone say of the unlabelled items.

        One that knew the others too would tell a student of a fold what it is measured by.
        """
        if self.retaught is None or len(rows) == len(self):
            return self.unlabelled_proposals
        return self.retaught(rows)

    def guessed(self, rows: Integers, targets: Rows, weight: float) -> Examples:
        """Unlabelled items at these rows, with what a model is confident of."""
        weights = np.full(len(rows), weight, dtype=np.float32)
        return Examples(take(self.unlabelled, rows), Targets(targets, weights))


def assign_folds(
    strata: Integers, groups: Integers, folds: int, rng: np.random.Generator
) -> Integers:
    """Deal the items into folds: strata spread evenly, duplicates kept together.

    Returns:
        Shape (n,), each item's fold, in [0, folds).
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    order = np.lexsort((rng.random(len(first)), strata[first]))
    fold_of_group = np.empty(len(first), dtype=np.int64)
    fold_of_group[order] = np.arange(len(first)) % folds
    dealt: Integers = fold_of_group[member]
    return dealt
