from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.errors import ExtensionError
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.training.training_data import TrainingData, assign_folds
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.single import Single, SingleRows
from hilt.types import Content, Items, Value
from tests.one_label import single, values_of

LABELLED = Items(["a", "b", "c"], ["x", "y", "z"], np.eye(3, dtype=np.float32))
PROBLEM = TrainingData(
    task=single(2),
    labelled=LABELLED,
    values=values_of([1, 0, 1]),
    groups=np.arange(3),
    proposals=[Rows(np.full((3, 2), 0.5))],
    unlabelled=Items(["d", "e"], ["v", "w"], np.eye(3, dtype=np.float32)[:2]),
    unlabelled_proposals=[Rows(np.full((2, 2), 0.5))],
    trust=Trust(np.ones(1), np.ones(1)),
    descriptions=Items(["no", "yes"], ["a no", "a yes"], np.eye(3, dtype=np.float32)[1:]),
)
labelled_groups = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=40)


@given(labelled_groups, st.integers(2, 6), st.integers(0, 5))
def test_folds_hold_duplicates_together_and_spread_everything_else(
    drawn: list[tuple[int, int]], folds: int, seed: int
) -> None:
    labels = np.array([label for label, _ in drawn])
    sizes = np.array([size for _, size in drawn])
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(np.repeat(np.arange(len(drawn)), sizes))

    dealt = assign_folds(labels[shuffled], 100 + shuffled, folds, rng)

    fold_of_group = np.full(len(drawn), -1)
    fold_of_group[shuffled] = dealt
    assert np.array_equal(fold_of_group[shuffled], dealt)
    assert dealt.min() >= 0
    assert dealt.max() < folds
    in_each = np.bincount(fold_of_group, minlength=folds)
    assert in_each.max() - in_each.min() <= 1
    for label in np.unique(labels):
        of_label = np.bincount(fold_of_group[labels == label], minlength=folds)
        assert of_label.max() - of_label.min() <= 1


def test_audit_items_are_dealt_without_regard_to_their_labels() -> None:
    items = Items([str(n) for n in range(40)], ["x"] * 40, np.eye(40, dtype=np.float32))
    audit = np.arange(0, 40, 4)
    dealt = []
    for labels_of_audit in (0, 1):
        positions = np.arange(40) // 2 % 2
        positions[audit] = labels_of_audit
        problem = replace(
            PROBLEM,
            labelled=items,
            values=values_of(positions),
            groups=np.arange(40),
            audit=audit,
        )
        dealt.append(problem.deal(5, np.random.default_rng(0)))

    assert np.array_equal(dealt[0], dealt[1])
    assert np.bincount(dealt[0][audit]).tolist() == [2] * 5
    others = np.setdiff1d(np.arange(40), audit)
    of_one_label = others[positions[others] == 1]
    assert np.bincount(dealt[0][of_one_label]).tolist() == [4] * 5


def test_the_same_seed_deals_the_same_folds_and_another_does_not() -> None:
    positions, groups = np.arange(60) % 3, np.arange(60)
    dealt = [
        assign_folds(positions, groups, 5, np.random.default_rng(seed)).tolist()
        for seed in (0, 0, 1)
    ]

    assert dealt[0] == dealt[1]
    assert dealt[0] != dealt[2]


def test_fewer_items_than_folds_are_dealt_one_each() -> None:
    dealt = assign_folds(np.array([0, 1]), np.array([0, 1]), 5, np.random.default_rng(0))

    assert sorted(dealt.tolist()) == [0, 1]


def test_what_people_said_counts_one() -> None:
    known = PROBLEM.known(np.array([2, 1]))

    assert list(known.items.texts) == ["z", "y"]
    assert known.targets.rows.values.tolist() == [[0, 1], [1, 0]]
    assert known.targets.weights.tolist() == [1, 1]


def test_no_rows_are_no_examples() -> None:
    assert len(PROBLEM.known(np.empty(0, dtype=np.int64))) == 0


def test_every_label_is_described_by_one_example() -> None:
    described = PROBLEM.described()

    assert list(described.items.texts) == ["a no", "a yes"]
    assert described.targets.rows.values.tolist() == [[1, 0], [0, 1]]


def test_a_guess_counts_as_much_as_it_is_told() -> None:
    guessed = PROBLEM.guessed(np.array([1]), Rows(np.array([[1.0, 0.0]])), 0.25)

    assert list(guessed.items.ids) == ["e"]
    assert guessed.targets.rows.values.tolist() == [[1, 0]]
    assert guessed.targets.weights.tolist() == [0.25]


class UnsureRows(SingleRows):
    def encode(self, values: Sequence[Value], contents: Sequence[Content]) -> Targets:
        hard = super().encode(values, contents)
        return Targets(self.tempered(hard.rows, 3.0), hard.weights)


class Unsure(Single):
    """Takes a person's answer as a guess."""

    name = "unsure"

    @cached_property
    def rows(self) -> UnsureRows:
        return UnsureRows(len(self.labels), self.labels)


def test_what_a_person_said_is_sure() -> None:
    unsure = replace(PROBLEM, task=Unsure(PROBLEM.task.labels))

    assert set(PROBLEM.targets.rows.values.ravel().tolist()) == {0, 1}
    with pytest.raises(ExtensionError, match="The task 'unsure' encodes an answer as prob"):
        unsure.true_units(np.arange(len(unsure)))
