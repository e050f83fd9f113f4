import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hilt.proposers import neighbours
from hilt.proposers.base import Context, Learner
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.neighbours import Neighbours, weighted_votes
from hilt.tasks.categorical import one_hot
from hilt.types import Items, Label

CONTEXT = Context(
    (Label("a", "a"), Label("b", "b"), Label("c", "c")), SentenceEmbedder(device="cpu")
)


def items_of(rows: np.ndarray, name: str = "item", texts: list[str] | None = None) -> Items:
    ids = [f"{name}-{number}" for number in range(len(rows))]
    return Items(ids, texts or [f"text of {item_id}" for item_id in ids], rows)


def unit_rows(n: int, d: int = 32, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def angles(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def taught(rows: np.ndarray, positions: list[int], **settings: float) -> Neighbours:
    proposer = Neighbours(CONTEXT, **settings)  # type: ignore[arg-type]
    proposer.learn(items_of(rows, "labelled"), one_hot(np.array(positions), 3))
    return proposer


def test_it_learns() -> None:
    assert isinstance(Neighbours(CONTEXT), Learner)


def test_it_abstains_before_there_are_labels() -> None:
    proposal = Neighbours(CONTEXT).propose(items_of(unit_rows(4)))

    assert proposal.shape == (4, 3)
    assert np.isnan(proposal).all()


def test_it_abstains_again_when_all_labels_are_taken_back() -> None:
    proposer = taught(angles(0, 90), [0, 1])

    proposer.learn(items_of(np.empty((0, 2), np.float32)), one_hot(np.empty(0, dtype=int), 3))

    assert np.isnan(proposer.propose(items_of(angles(10)))).all()


def test_an_item_gets_the_label_of_its_neighbours() -> None:
    proposer = taught(angles(0, 10, 90, 100), [0, 0, 1, 1], k=2)

    proposal = proposer.propose(items_of(angles(5, 95)))

    assert proposal.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(proposal.sum(axis=1), 1, rtol=1e-6)


def test_only_k_neighbours_vote() -> None:
    proposer = taught(angles(5, 20, 21, 22), [0, 1, 1, 1], k=1, temperature=100)

    proposal = proposer.propose(items_of(angles(0)))

    # One vote against one of 0.3 that all labels share.
    np.testing.assert_allclose(proposal, [[1.1 / 1.3, 0.1 / 1.3, 0.1 / 1.3]], rtol=1e-6)


def test_a_nearer_neighbour_outvotes_two_at_a_low_temperature_only() -> None:
    rows, positions, asked = angles(5, 40, 41), [0, 1, 1], items_of(angles(0))

    sharp = taught(rows, positions, temperature=0.05).propose(asked)
    even = taught(rows, positions, temperature=5).propose(asked)

    assert sharp.argmax() == 0
    assert even.argmax() == 1


def test_an_item_never_votes_for_itself() -> None:
    rows = angles(0, 12, 20)
    labelled = items_of(rows)
    proposer = Neighbours(CONTEXT, k=1)

    proposer.learn(labelled, one_hot(np.array([2, 1, 0]), 3))

    assert proposer.propose(labelled).argmax(axis=1).tolist() == [1, 0, 1]


def test_an_items_own_label_does_not_change_what_is_proposed_for_it() -> None:
    rows = unit_rows(40)
    labelled, positions = items_of(rows), np.arange(40) % 3
    proposer, other = Neighbours(CONTEXT), Neighbours(CONTEXT)
    proposer.learn(labelled, one_hot(positions, 3))
    changed = positions.copy()
    changed[7] = (changed[7] + 1) % 3
    other.learn(labelled, one_hot(changed, 3))

    np.testing.assert_array_equal(proposer.propose(labelled)[7], other.propose(labelled)[7])


def test_an_exact_duplicate_does_not_vote_even_rounded() -> None:
    rows = unit_rows(2, d=384)
    proposer = taught(rows, [0, 1], k=1)

    proposal = proposer.propose(items_of(rows.astype(np.float16)))

    assert proposal.argmax(axis=1).tolist() == [1, 0]


def test_the_same_text_does_not_vote_though_its_vector_differs() -> None:
    proposer = Neighbours(CONTEXT, k=1)
    proposer.learn(
        items_of(angles(5, 60), "labelled", ["same", "other"]), one_hot(np.array([0, 1]), 3)
    )

    assert proposer.propose(items_of(angles(0), "asked", ["same"])).argmax() == 1


def test_an_item_whose_neighbours_are_all_duplicates_is_left_out() -> None:
    proposer = taught(angles(0, 0, 0), [0, 0, 1], k=2)

    proposal = proposer.propose(items_of(angles(0, 30)))

    assert np.isnan(proposal[0]).all()
    assert proposal[1].argmax() == 0


def test_many_duplicates_do_not_crowd_out_the_neighbours_that_may_vote() -> None:
    proposer = taught(angles(*[0] * 50, 30, 40), [0] * 50 + [1, 1], k=2)

    proposal = proposer.propose(items_of(angles(0)))

    votes = np.exp((np.cos(np.radians(40)) - np.cos(np.radians(30))) / 0.1) + 1
    expected = np.array([0.1, votes + 0.1, 0.1]) / (votes + 0.3)
    np.testing.assert_allclose(proposal[0], expected, rtol=1e-4)


def test_fewer_labels_than_k_all_vote() -> None:
    proposal = taught(angles(0, 40), [0, 1], k=10).propose(items_of(angles(10)))

    assert proposal[0].argmax() == 0
    assert (proposal > 0).all()


def test_many_items_are_proposed_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    proposer = taught(unit_rows(30, seed=1), [0, 1, 2] * 10)
    asked = items_of(unit_rows(20, seed=2))
    whole = proposer.propose(asked)
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 7)

    np.testing.assert_allclose(proposer.propose(asked), whole, rtol=1e-5)


def test_the_same_labels_give_the_same_proposals() -> None:
    asked = items_of(unit_rows(50, seed=2))
    rows, positions = unit_rows(30, seed=1), [0, 1, 2] * 10

    first, second = (taught(rows, positions).propose(asked) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_items_without_embeddings_are_refused() -> None:
    proposer = taught(angles(0, 90), [0, 1])

    with pytest.raises(ValueError, match="run the embedder first"):
        proposer.propose(Items(["x"], ["text"]))


def test_a_stretch_of_a_pool_takes_well_under_a_second() -> None:
    proposer = taught(unit_rows(500, d=384), [0, 1, 2, 1] * 125)
    asked = items_of(unit_rows(16_384, d=384, seed=3).astype(np.float16))
    proposer.propose(items_of(unit_rows(2, d=384, seed=4)))  # opens the index

    began = time.process_time()
    proposer.propose(asked)

    assert time.process_time() - began < 2  # 0.2 s; the rest is for a slow machine


@given(
    arrays(np.float64, (5, 4), elements=st.floats(-1, 1) | st.just(-np.inf)),
    arrays(np.int64, (5, 4), elements=st.integers(0, 2)),
    st.floats(1e-4, 10),
)
def test_votes_make_a_distribution_without_zeros_or_abstain(
    cosines: np.ndarray, positions: np.ndarray, temperature: float
) -> None:
    proposal = weighted_votes(cosines, positions, temperature, 3)

    silent = np.isneginf(cosines).all(axis=1)
    assert np.isnan(proposal[silent]).all()
    assert (proposal[~silent] > 0).all()
    np.testing.assert_allclose(proposal[~silent].sum(axis=1), 1, rtol=1e-5)
