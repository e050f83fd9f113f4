import numpy as np

from hilt.proposers.answer_tree import attention, grow_tree


def test_answers_of_one_token_need_the_prompt_alone() -> None:
    tree = grow_tree([[5], [7]])

    assert len(tree) == 1
    assert tree.nodes.tolist() == [0, 0]
    assert tree.targets.tolist() == [5, 7]


def test_answers_that_begin_alike_share_their_nodes() -> None:
    tree = grow_tree([[5, 6, 7], [5, 6, 8], [9]])

    assert tree.tokens[1:].tolist() == [5, 6]
    assert tree.depths.tolist() == [0, 1, 2]
    assert tree.ancestors.tolist() == np.tri(3, dtype=bool).tolist()


def test_branches_do_not_see_each_other() -> None:
    tree = grow_tree([[1, 2], [3, 4]])

    assert tree.ancestors[1:, 1:].tolist() == [[True, False], [False, True]]


def test_an_answer_that_another_begins_with_is_scored_too() -> None:
    tree = grow_tree([[5], [5, 6]])

    log_probabilities = np.array([-1.0, -1.0, -3.0])  # 5; 5, 6
    np.testing.assert_allclose(log_probabilities @ tree.weights, [-1, -2])


def test_a_prompt_sees_what_stands_before_it_and_no_padding() -> None:
    mask = np.array([[1, 1], [0, 1]])

    seen = attention(mask, n_head=1, ancestors=np.ones((1, 1), dtype=bool))

    assert seen[0].tolist() == [[True, True, False], [True, True, True]]
    assert seen[1, 1].tolist() == [True, False, True]


def test_a_node_sees_the_prompt_and_what_it_follows_on() -> None:
    tree = grow_tree([[1, 2], [3, 4]])

    seen = attention(np.array([[0, 1]]), n_head=1, ancestors=tree.ancestors)

    assert seen[0, 2].tolist() == [True, False, True, True, False]
    assert seen[0, 3].tolist() == [True, False, True, False, True]


def test_nothing_sees_nothing() -> None:
    seen = attention(np.array([[0, 0, 1]]), n_head=0, ancestors=np.ones((1, 1), dtype=bool))

    assert seen.any(axis=2).all()
