"""Disagreement of committees small enough to work out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.errors import DataError
from hilt.rows import Rows
from hilt.selectors.arithmetic.committee import disagreement, scored_by_committee, vote_entropy
from hilt.selectors.base import Selector
from hilt.selectors.disagreement import Disagreement, VoteEntropy
from hilt.types import Floats, Integers, SelectionView

NAN = np.nan


def answers(*members: list[list[float]]) -> Floats:
    """One list of rows a member."""
    return np.array(members, dtype=np.float32)


def saying(members: Floats) -> Callable[[Integers], tuple[Rows, ...]]:
    """A committee that says this of every item, shape (n_members, n_items, n_labels)."""
    return lambda indices: tuple(map(Rows, members[:, indices]))


def test_votes_for_one_label_have_no_entropy_and_votes_for_all_labels_have_the_most() -> None:
    agreed, split = [0.9, 0.1], [0.4, 0.6]

    scores = vote_entropy(answers([agreed, agreed], [agreed, split]))

    np.testing.assert_allclose(scores, [0, 1], atol=1e-6)


def test_votes_of_two_to_one_score_their_entropy() -> None:
    for_first, for_second = [0.6, 0.4, 0.0], [0.0, 0.9, 0.1]

    (score,) = vote_entropy(answers([for_first], [for_first], [for_second]))

    thirds = -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))
    assert score == pytest.approx(thirds / np.log(3), abs=1e-6)


def test_who_abstains_has_no_vote() -> None:
    first, second, nothing = [0.9, 0.1], [0.2, 0.8], [NAN, NAN]

    scores = vote_entropy(
        answers([first, first, nothing], [second, nothing, nothing], [nothing, nothing, nothing])
    )

    np.testing.assert_allclose(scores, [1, 0, 0], atol=1e-6)


def test_a_member_that_is_undecided_has_no_vote() -> None:
    first, second, tie = [0.9, 0.1], [0.2, 0.8], [0.5, 0.5]

    scores = vote_entropy(answers([first, second], [second, tie], [tie, tie]))

    np.testing.assert_allclose(scores, [1, 0], atol=1e-6)


def test_members_that_contradict_each_other_disagree_most() -> None:
    sure, unsure = [1.0, 0.0], [0.5, 0.5]

    scores = disagreement(answers([sure, sure, unsure], [[0.0, 1.0], sure, unsure]))

    np.testing.assert_allclose(scores, [1, 0, 0], atol=1e-6)  # common doubt is no disagreement


def test_disagreement_is_the_mean_divergence_from_the_mean() -> None:
    members = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    consensus = members.mean(axis=0)
    divergence = (members * np.log(members / consensus)).sum(axis=1).mean()

    (score,) = disagreement(members[:, None].astype(np.float32))

    assert score == pytest.approx(divergence / np.log(2), abs=1e-6)


def test_who_abstains_has_no_part_in_the_consensus() -> None:
    first, second, nothing = [0.7, 0.3], [0.2, 0.8], [NAN, NAN]

    with_all = disagreement(answers([first], [second], [nothing]))
    without = disagreement(answers([first], [second]))

    np.testing.assert_allclose(with_all, without, atol=1e-6)
    assert disagreement(answers([first], [nothing])).tolist() == [0]


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 5))
def test_scores_lie_between_0_and_1_and_ignore_the_order_of_members(
    seed: int, n_members: int, n_labels: int
) -> None:
    rng = np.random.default_rng(seed)
    members = rng.dirichlet(np.full(n_labels, 0.3), size=(n_members, 7)).astype(np.float32)
    members[rng.random((n_members, 7)) < 0.3] = NAN

    for score in (vote_entropy, disagreement):
        scores = score(members)
        assert (scores >= 0).all()
        assert (scores <= 1).all()
        np.testing.assert_allclose(scores, score(members[::-1]), atol=1e-5)


def test_a_committee_is_asked_in_blocks(
    make_view: Callable[..., SelectionView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hilt.selectors.arithmetic.committee.BLOCK", 3)
    members = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 20)).astype(np.float32)
    indices = np.array([0, 2, 4, 5, 7, 11, 19])
    view = make_view(np.eye(20), members[0], candidates=indices, committee=saying(members))

    scores = scored_by_committee(view, disagreement)

    np.testing.assert_array_equal(scores, disagreement(members[:, indices]))


def test_an_item_of_several_rows_has_their_mean(make_view: Callable[..., SelectionView]) -> None:
    said = answers([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]], [[0.1, 0.9], [0.9, 0.1], [0.6, 0.4]])
    offsets = np.array([0, 2, 3])  # the first item has two rows
    view = make_view(
        np.eye(2),
        np.full((2, 2), 0.5),
        committee=lambda indices: tuple(Rows(each, offsets).take(indices) for each in said),
    )

    scores = scored_by_committee(view, vote_entropy)

    np.testing.assert_allclose(scores, [0.5, 0], atol=1e-6)


@pytest.mark.parametrize("selector", [VoteEntropy(), Disagreement()])
def test_the_disputed_come_first(
    selector: Selector, make_view: Callable[..., SelectionView]
) -> None:
    said = answers(
        [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]],
        [[0.8, 0.2], [0.1, 0.9], [0.7, 0.3]],
    )
    view = make_view(np.eye(3), np.full((3, 2), 0.5), committee=saying(said))

    assert selector.select(view, 1, np.random.default_rng(0)).indices.tolist() == [1]


@pytest.mark.parametrize("selector", [VoteEntropy(), Disagreement()])
def test_without_a_committee_it_says_what_is_missing(
    selector: Selector, make_pool: Callable[..., SelectionView]
) -> None:
    view = make_pool(20)

    with pytest.raises(DataError, match="no committee, which"):
        selector.select(replace(view, committee=None), 2, np.random.default_rng(0))
    with pytest.raises(DataError, match="A committee of 1 cannot disagree"):
        selector.select(
            replace(view, committee=saying(np.full((1, 20, 4), 0.25))),
            2,
            np.random.default_rng(0),
        )
