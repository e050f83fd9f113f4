"""What a row of probabilities says, ties included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.distributions import NO_LABEL, clear_label


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("row", "label"),
    [
        ((0.5, 0.5), NO_LABEL),
        ((0.4, 0.2, 0.4), NO_LABEL),
        ((0.1 + 0.2, 0.3, 0.4 - 0.0), 2),
        ((0.3, 0.1 + 0.2, 0.0), NO_LABEL),
        ((0.499, 0.501), 1),
        ((0.0, 0.0), NO_LABEL),
        ((np.nan, np.nan), NO_LABEL),
        ((1.0,), 0),
    ],
)
def test_a_tie_has_no_label(row: tuple[float, ...], label: int, dtype: type) -> None:
    assert clear_label(np.array([row], dtype=dtype)).tolist() == [label]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any), st.randoms())
def test_the_order_of_the_labels_decides_nothing(counts: list[int], random: object) -> None:
    order = list(range(len(counts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    rows = np.array(counts) / sum(counts)

    label, shuffled = int(clear_label(rows)), int(clear_label(rows[order]))

    assert (NO_LABEL if shuffled == NO_LABEL else order[shuffled]) == label


def test_any_shape_is_read() -> None:
    rows = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5))

    assert np.array_equal(clear_label(rows), rows.argmax(axis=2))
