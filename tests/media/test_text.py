"""The medium `text`, whose whole-pool measures must say what its single ones say."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hilt.media.base import Columnar, make_medium
from hilt.media.text import TEXT

TEXTS = st.lists(st.text(st.characters(codec="utf-8")), max_size=8)


def test_its_content_is_the_text() -> None:
    medium = make_medium("text", {})

    assert medium.read("a b") == "a b"
    assert medium.shown("a b").fields == {"text": "a b"}
    assert medium.shown("a b").text == medium.text("a b") == medium.likeness("a b") == "a b"
    assert medium.problem("") is None
    assert medium.key(" A  b") == "a b"


@given(TEXTS)
def test_a_pool_is_measured_at_once_as_item_by_item(texts: list[str]) -> None:
    table = pa.table({"text": pa.array(texts, pa.string())})

    assert isinstance(TEXT, Columnar)
    assert TEXT.sizes(table).tolist() == list(map(TEXT.size, texts))


def test_white_space_of_any_kind_is_empty() -> None:
    texts = ["", " ", "\n\t", "\u00a0", "\u3000", "a", " a ", "0"]
    table = pa.table({"text": texts})

    assert np.array_equal(TEXT.empties(table), list(map(TEXT.is_empty, texts)))
