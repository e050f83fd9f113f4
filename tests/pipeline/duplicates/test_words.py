import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.duplicates.words import (
    STRICT_WORDS,
    count_words,
    only_in,
    overlap,
    shared_with_part,
    words_of,
)

LONG = [f"word{number}" for number in range(100)]


def overlap_of(one: str, other: str) -> float:
    return float(overlap(count_words([one]), count_words([other]))[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Activate my card", "Activate your card"),
        ("I am happy with it.", "I am not happy with it."),
        ("Refund order 1234 please", "Refund order 1235 please"),
        ("It costs 4.75 %", "It costs 47.5 %"),
        ("Why was my transfer declined?", "Why was my payment declined?"),
        ("Has it arrived?", "It has arrived."),
        ("fired :(", "fired :)"),
        ("great \U0001f600", "great \U0001f621"),
        ("bad bad dog", "bad dog"),
        ("這是好的", "這不是好的"),
        ("यह हिन्दी है", "यह हिन्दू है"),
        ("Costs 5\u20ac", "Costs 5$"),
        ("!!!", "..."),
        ("", ""),
    ],
)
def test_a_short_text_with_one_other_word_is_another_text(one: str, other: str) -> None:
    assert overlap_of(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My top-up failed!", "my top up failed"),
        ("Why was my top up rejected?", "My top-up was rejected. Why??"),
        ("Ich hei\u00dfe Anna", "ICH HEISSE ANNA"),
        ("\u201cQuoted\u201d, he said", '"quoted" he said'),
        ("這是好的。", "這是好的"),
        ("wow \U0001f600!", "WOW... \U0001f600"),
    ],
)
def test_spelling_signs_and_order_alone_make_no_other_text(one: str, other: str) -> None:
    assert overlap_of(one, other) == 1


def test_in_a_long_text_some_words_may_differ() -> None:
    edited = [*LONG[5:], "five", "words", "that", "are", "new"]

    # 105 words together, 10 of them in one text alone
    assert overlap_of(" ".join(LONG), " ".join(edited)) == pytest.approx(1 - 10 / 75)


def test_a_word_weighs_the_more_the_shorter_the_text() -> None:
    shares = [
        overlap_of(" ".join(LONG[:length]), " ".join([*LONG[1:length], "other"]))
        for length in (10, 29, 32, 40, 60, 100)
    ]

    assert shares == sorted(shares)
    assert shares[:2] == [0, 0]
    assert shares[-1] > 0.95


def test_what_a_text_quotes_is_not_what_it_says() -> None:
    assert overlap_of(" ".join(LONG[:40]), " ".join(LONG)) < 0.2


def test_many_pairs_are_compared_at_once() -> None:
    counts = count_words(["a b", "b a", "a c"])

    assert overlap(counts[[0, 0, 1]], counts[[1, 2, 2]]).tolist() == [1, 0, 0]


def test_marks_are_part_of_their_letters_and_ends_of_sentences_are_not() -> None:
    assert words_of("यह हिन्दी है।") == ["यह", "हिन्दी", "है"]


def test_no_text_has_no_words() -> None:
    assert count_words([]).shape[0] == 0
    assert words_of("") == []


def test_the_text_that_others_are_edits_of_is_in_their_middle() -> None:
    edits = [" ".join([*LONG[:place], f"edit{place}", *LONG[place + 1 :]]) for place in range(10)]
    others = ["quite another part", "of two texts"]
    parts = np.array([0] * 11 + [1] * 2)

    closeness = shared_with_part(count_words([*edits, " ".join(LONG), *others]), parts)

    assert closeness[:11].argmax() == 10
    assert ((closeness > 0) & (closeness <= 1)).all()


def test_words_that_one_text_alone_has_are_listed_as_often_as_they_are() -> None:
    assert only_in("no no, my card", "no, your card") == ("no", "my")


words = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])
texts = st.lists(words, max_size=2 * STRICT_WORDS).map(" ".join)


@given(texts, texts)
def test_overlap_is_a_symmetric_share(one: str, other: str) -> None:
    share = overlap_of(one, other)

    assert 0 <= share <= 1
    assert share == overlap_of(other, one)
    assert (share == 1) == (sorted(one) == sorted(other) != [])
