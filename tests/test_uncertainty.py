import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hilt.errors import DataError
from hilt.types import Floats
from hilt.uncertainty import entropy, least_confident, margin

WEIGHTS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 20), st.integers(2, 6)),
    elements=st.floats(0.0078125, 1, width=32),
)


def normalised(weights: Floats) -> Floats:
    rows: Floats = weights / weights.sum(axis=1, keepdims=True)
    return rows


def test_margin_is_one_minus_the_lead_of_the_likeliest_label() -> None:
    scores = margin(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]]))

    np.testing.assert_allclose(scores, [0.5, 0.3, 1.0], rtol=1e-6)
    assert scores.dtype == np.float32


def test_margin_leaves_its_input_alone() -> None:
    probabilities = np.array([[0.5, 0.5], [1.0, 0.0]], dtype=np.float32)

    margin(probabilities)

    np.testing.assert_array_equal(probabilities, [[0.5, 0.5], [1.0, 0.0]])


def test_a_single_label_has_no_margin() -> None:
    with pytest.raises(DataError, match="needs at least 2 labels, but there is 1"):
        margin(np.ones((3, 1)))


@given(WEIGHTS)
def test_margin_lies_between_0_and_1(weights: Floats) -> None:
    scores = margin(normalised(weights))

    assert (scores >= 0).all()
    assert (scores <= 1).all()


@given(WEIGHTS, st.randoms(use_true_random=False))
def test_margin_does_not_depend_on_the_order_of_labels_or_items(
    weights: Floats, random: np.random.Generator
) -> None:
    probabilities = normalised(weights)
    labels, items = list(range(weights.shape[1])), list(range(weights.shape[0]))
    random.shuffle(labels)
    random.shuffle(items)

    np.testing.assert_array_equal(
        margin(probabilities[:, labels])[items], margin(probabilities[items])
    )


@given(WEIGHTS)
def test_margin_is_1_exactly_where_two_labels_share_the_lead(weights: Floats) -> None:
    lead = normalised(np.concatenate([weights, weights.max(axis=1, keepdims=True)], axis=1))

    np.testing.assert_array_equal(margin(lead), 1)


@given(WEIGHTS)
def test_margin_equals_the_difference_of_the_two_largest_after_sorting(weights: Floats) -> None:
    probabilities = normalised(weights)
    ascending = np.sort(probabilities, axis=1)

    np.testing.assert_allclose(margin(probabilities), 1 - (ascending[:, -1] - ascending[:, -2]))


def test_the_least_confident_is_least_sure_of_its_likeliest_label() -> None:
    scores = least_confident(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]]))

    np.testing.assert_allclose(scores, [0.3, 0.2, 0.6], rtol=1e-6)


def test_entropy_is_0_for_a_certainty_and_1_for_no_preference() -> None:
    scores = entropy(np.array([[1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]]))

    np.testing.assert_allclose(scores, [0, 1, 0.5], atol=1e-6)


def test_margin_and_entropy_part_where_doubt_is_spread() -> None:
    between_two = [0.45, 0.45, 0.05, 0.05]
    among_all = [0.4, 0.2, 0.2, 0.2]
    rows = np.array([between_two, among_all])

    assert margin(rows).argmax() == 0
    assert entropy(rows).argmax() == 1
    assert least_confident(rows).argmax() == 1


@given(WEIGHTS)
def test_entropy_and_confidence_lie_between_0_and_1(weights: Floats) -> None:
    for score in (entropy, least_confident):
        scores = score(normalised(weights))
        assert (scores >= 0).all()
        assert (scores <= 1).all()


@given(WEIGHTS)
def test_with_two_labels_margin_and_confidence_rank_alike(weights: Floats) -> None:
    rows = normalised(weights[:, :2])

    np.testing.assert_allclose(margin(rows), 2 * least_confident(rows), atol=1e-5)
