from hilt.pipeline.duplicates.words import only_in, read_words, words_of


def test_marks_are_part_of_their_letters_and_ends_of_sentences_are_not() -> None:
    assert words_of("यह हिन्दी है।") == ["यह", "हिन्दी", "है"]


def test_no_text_has_no_words() -> None:
    assert len(read_words([])) == 0
    assert words_of("") == []


def test_words_that_one_text_alone_has_are_listed_as_often_as_they_are() -> None:
    assert only_in("no no, my card", "no, your card") == ("no", "my")
