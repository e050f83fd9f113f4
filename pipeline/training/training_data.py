"""What a student is trained from: labels, proposals, and items that nobody labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.students.base import Examples, one_hot, take
from hilt.types import Floats, Integers, Items


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Everything that a student may learn from.

    Attributes:
        labelled: The n items that have a label.
        positions: Shape (n,), the positions of their labels.
        groups: Shape (n,); near-duplicates are equal, and never on both sides of a fold.
        proposals: Shape (p, n, n_labels), what each of p proposers says of them, the student not
            among these; NaN rows are abstentions.
        unlabelled: A random m of the other items of the pool.
        unlabelled_proposals: Shape (p, m, n_labels), the same for those.
        trust: How much each of the p proposers counts before there are labels.
        descriptions: The label descriptions as items, one per label: each is an example of
            its label, so that no label is ever unknown to a student. Without embeddings they are
            none, for items and descriptions have no common space.
        audit: Rows of the labelled items that were drawn at random, to measure by.
        retaught: Gives `unlabelled_proposals` of proposers that know the labels at some rows alone;
            None where none of them learns.
    """

    labelled: Items
    positions: Integers
    groups: Integers
    proposals: Floats
    unlabelled: Items
    unlabelled_proposals: Floats
    trust: Trust
    descriptions: Items
    audit: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    retaught: Callable[[Integers], Floats] | None = None

    def __len__(self) -> int:
        return len(self.labelled)

    @property
    def n_labels(self) -> int:
        """How many labels the task has."""
        return len(self.descriptions)

    def deal(self, folds: int, rng: np.random.Generator) -> Integers:
        """Deal the labelled items into folds, those of the audit without regard to their labels.

        Spread by label, an audit item would find more of its own label among what a student learns
        than a new item does, for what is held out has its share already. With 50 audit labels
        alone, 6 labels and 5 folds, that flattered the student by 4 points.

        Returns:
            Shape (n,), each item's fold, in [0, folds).
        """
        spread_by = self.positions.copy()
        spread_by[self.audit] = self.n_labels  # as if that were a label of its own
        return assign_folds(spread_by, self.groups, folds, rng)

    def described(self) -> Examples:
        """One example per label: its description; none where these are not like items."""
        if self.descriptions.embeddings is None:
            return self.guessed(np.empty(0, dtype=np.int64), np.empty((0, self.n_labels)), 1.0)
        examples = _examples(self.descriptions, np.eye(self.n_labels, dtype=np.float32), 1.0)
        return replace(examples, described=tuple(range(self.n_labels)))

    def known(self, rows: Integers, balance: float = 0.0) -> Examples:
        """The labelled items at these rows, with what people said.

        Args:
            rows: Which of the labelled items.
            balance: 0 weighs every item alike, 1 every label, and a half is between the two.
        """
        positions = self.positions[rows]
        targets = one_hot(positions, self.n_labels)
        rarity = np.bincount(positions, minlength=self.n_labels)[positions] ** -float(balance)
        weights = rarity * len(rows) / max(rarity.sum(), 1e-9)  # 1 on average
        return Examples(take(self.labelled, rows), targets, weights.astype(np.float32))

    def proposed(self, rows: Integers) -> Floats:
        """What proposers that know the labels at some rows alone say of the unlabelled items.

        One that knew the others too would tell a student of a fold what it is measured by.

        Returns:
            Shape (p, m, n_labels), as `unlabelled_proposals`.
        """
        if self.retaught is None or len(rows) == len(self):
            return self.unlabelled_proposals
        return self.retaught(rows)

    def guessed(self, rows: Integers, targets: Floats, weight: float) -> Examples:
        """Unlabelled items at these rows, with what a model is confident of."""
        return _examples(take(self.unlabelled, rows), targets, weight)


def _examples(items: Items, targets: Floats, weight: float) -> Examples:
    return Examples(items, targets, np.full(len(items), weight, dtype=np.float32))


def assign_folds(
    positions: Integers, groups: Integers, folds: int, rng: np.random.Generator
) -> Integers:
    """Deal the items into folds: labels spread evenly, duplicates kept together.

    Returns:
        Shape (n,), each item's fold, in [0, folds).
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    order = np.lexsort((rng.random(len(first)), positions[first]))
    fold_of_group = np.empty(len(first), dtype=np.int64)
    fold_of_group[order] = np.arange(len(first)) % folds
    dealt: Integers = fold_of_group[member]
    return dealt
