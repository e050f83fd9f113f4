import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilt.proposers.models.token_batches import pad_rows, plan_batches

lengths = st.lists(st.integers(0, 600), max_size=80).map(lambda values: np.array(values, int))


@given(lengths, st.integers(1, 4096))
def test_every_row_is_in_exactly_one_batch(lengths: np.ndarray, batch_tokens: int) -> None:
    batches = plan_batches(lengths, batch_tokens)

    placed = [int(row) for batch in batches for row in batch]
    assert sorted(placed) == list(range(len(lengths)))


@given(lengths, st.integers(1, 4096))
def test_no_batch_of_several_rows_exceeds_its_tokens(
    lengths: np.ndarray, batch_tokens: int
) -> None:
    several = [batch for batch in plan_batches(lengths, batch_tokens) if len(batch) > 1]

    assert all(len(batch) * lengths[batch].max() <= batch_tokens for batch in several)


def test_padding_stands_after_the_tokens() -> None:
    ids, mask = pad_rows([[5, 6, 7], [8]], pad_id=9)

    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_padding_stands_before_the_tokens_when_the_tokenizer_pads_left() -> None:
    ids, mask = pad_rows([[5, 6, 7], [8]], pad_id=9, left=True)

    assert ids.tolist() == [[5, 6, 7], [9, 9, 8]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_rows_without_tokens_still_get_a_column() -> None:
    ids, mask = pad_rows([[], []], pad_id=9)

    assert ids.tolist() == [[9], [9]]
    assert mask.tolist() == [[0], [0]]
