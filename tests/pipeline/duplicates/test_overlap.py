import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.duplicates.overlap import WordTable, overlap, shared_with_part, tabulate
from hilt.pipeline.duplicates.passages import Passages
from hilt.pipeline.duplicates.rule import STRICT_WORDS
from hilt.pipeline.duplicates.words import read_words

LONG = [f"word{number}" for number in range(100)]
FOOTER = " ".join(f"legal{number}" for number in range(60))
BODIES = [
    "The kettle that came this morning leaks at the handle",
    "My invoice shows the wrong amount again",
    "Please cancel the order from Sunday",
    "Who can tell me where the parcel is now?",
    "I love the yoga mat, best purchase this year",
    "Two-factor codes never arrive on my new phone",
    "The courier left it in the rain",
    "Do you ship to Norway, and what does it cost?",
]


def table_of(texts: list[str]) -> WordTable:
    words = read_words(texts)
    return tabulate(words, Passages([words]).spread(words))


def overlaps_with_first(texts: list[str], much: float = 0) -> list[float]:
    table = table_of(texts)
    first = np.zeros(len(texts) - 1, dtype=np.int64)
    shares: list[float] = overlap(
        table[first], table[first + np.arange(1, len(texts))], much
    ).tolist()
    return shares


def overlap_of(one: str, other: str) -> float:
    return overlaps_with_first([one, other])[0]


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
    table = table_of(["a b", "b a", "a c"])
    left, right = np.array([0, 0, 1]), np.array([1, 2, 2])

    assert overlap(table[left], table[right], 3).tolist() == [1, 0, 0]


@pytest.mark.parametrize("where", ["{body} {shared}", "{shared} {body}"], ids=["footer", "header"])
def test_what_many_texts_share_says_nothing_of_two_of_them(where: str) -> None:
    mails = [where.format(body=body, shared=FOOTER) for body in BODIES]

    assert overlap_of(*mails[:2]) > 0.6  # as long as no other has it
    assert overlaps_with_first(mails) == [0] * 7


def test_words_that_a_long_header_repeats_do_not_speak_for_short_bodies() -> None:
    header = " ".join(f"the {word} to a" for word in FOOTER.split())
    mails = [f"{header} I sent {number} of the {number}s to a friend" for number in range(9)]

    assert max(overlaps_with_first(mails)) == 0


def test_a_mail_with_the_same_body_is_near_whatever_stands_below() -> None:
    again = f"{BODIES[0].upper()}! {FOOTER}"
    mails = [f"{body} {FOOTER}" for body in [*BODIES, " ".join(LONG), " ".join([*LONG[1:], "end"])]]

    assert overlaps_with_first([mails[0], again, *mails[1:]])[0] > 0.6
    assert overlaps_with_first(mails[::-1])[0] > 0.9


def test_the_same_words_are_the_same_text_however_widespread_they_are() -> None:
    mails = [f"{word} {FOOTER}{end}" for word in ("Yes", "No") for end in ".!?,;"]

    assert overlaps_with_first(mails) == [1, 0, 1, 1, 0, 0, 0, 0, 0]


def test_many_edited_copies_of_a_text_are_near_it_and_each_other() -> None:
    edits = [" ".join([*LONG[:place], f"edit{place}", *LONG[place + 1 :]]) for place in range(90)]

    assert min(overlaps_with_first([" ".join(LONG), *edits])) > 0.9
    assert min(overlaps_with_first(edits[::5])) > 0.9


def test_a_few_words_make_no_other_text_unless_much_of_the_pool_has_the_rest() -> None:
    text = " ".join(LONG)
    added = [f"{name} {text}" for name in ("Fwd:", "Re:", "Urgent!", "FYI", "Note:")]
    numbered = [f"{number} {number} {text}" for number in range(6)]

    for texts in ([text, *added], numbered):
        assert min(overlaps_with_first(texts, much=6)) > 0.9
        assert max(overlaps_with_first(texts, much=5)) == 0


def test_words_of_a_footer_are_not_widespread_elsewhere() -> None:
    words = read_words([f"legal7 {body} {FOOTER}" for body in BODIES])

    spread = Passages([words]).spread(words)

    assert spread[words.starts[:-1]].tolist() == [1] * 8
    assert spread[-60:].tolist() == [8] * 60


def test_a_window_that_a_text_repeats_is_one_text() -> None:
    words = read_words(["ha " * 40, "ha ha ha ha", "no", "no", ""])

    assert Passages([words]).spread(words).tolist() == [2] * 44 + [2, 2]


def test_counting_in_blocks_counts_the_same() -> None:
    texts = [f"{body} {FOOTER}" for body in BODIES]
    whole, blocks = read_words(texts), [read_words(texts[:3]), read_words(texts[3:])]

    assert Passages(blocks).spread(whole).tolist() == Passages([whole]).spread(whole).tolist()


def test_the_text_that_others_are_edits_of_is_in_their_middle() -> None:
    edits = [" ".join([*LONG[:place], f"edit{place}", *LONG[place + 1 :]]) for place in range(10)]
    others = ["quite another part", "of two texts"]
    parts = np.array([0] * 11 + [1] * 2)

    closeness = shared_with_part(table_of([*edits, " ".join(LONG), *others]).counts, parts)

    assert closeness[:11].argmax() == 10
    assert ((closeness > 0) & (closeness <= 1)).all()


words = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])
texts = st.lists(words, max_size=2 * STRICT_WORDS).map(" ".join)


@given(texts, texts)
def test_overlap_is_a_symmetric_share(one: str, other: str) -> None:
    share = overlap_of(one, other)

    assert 0 <= share <= 1
    assert share == overlap_of(other, one)
    assert (share == 1) == (sorted(one) == sorted(other) != [])
