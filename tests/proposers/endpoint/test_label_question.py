import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.proposers.endpoint.label_question import BadAnswer, LabelQuestion, find_label
from hilt.types import Label

NAMES = ("sport", "U.S.", "a b", "It's", "Polish", "polish")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("sport", "sport"),
        ("  sport\n", "sport"),
        ('"sport"', "sport"),
        ("'Sport'.", "sport"),
        ("\u201csport.\u201d", "sport"),
        ("`SPORT`", "sport"),
        ("U.S.", "U.S."),
        ("u.s", "U.S."),
        ("a\n b", "a b"),
        ("it's", "It's"),
        ("polish", "polish"),
        ("Polish.", "Polish"),
    ],
)
def test_a_label_is_found_however_it_is_dressed(answer: str, name: str) -> None:
    assert find_label(answer, NAMES) == NAMES.index(name)


@pytest.mark.parametrize("answer", ["", "sports", "sport or a b", "POLISH", "the label is sport"])
def test_anything_else_is_no_label(answer: str) -> None:
    assert find_label(answer, NAMES) is None


@given(st.text(min_size=1).filter(str.strip))
def test_every_name_is_read_back_from_the_json_that_was_asked_for(name: str) -> None:
    question = LabelQuestion([Label(name, ""), Label(f"not {name}", "")], "Classify.")

    assert question.read(json.dumps({"label": name})) == 0


@given(st.text(min_size=1).filter(str.strip))
def test_every_name_is_read_back_when_it_is_copied_as_it_was_shown(name: str) -> None:
    question = LabelQuestion([Label(name, ""), Label(f"not {name}", "")], "Classify.", False)

    assert f"- {json.dumps(name, ensure_ascii=False)}: " in question.system
    assert question.read(json.dumps(name, ensure_ascii=False)) == 0


@given(st.text())
def test_no_text_can_leave_its_quotes(text: str) -> None:
    question = LabelQuestion([Label("a", ""), Label("b", "")], "Classify.")

    system, user = question.messages(text)

    assert json.loads(user["content"]) == {"text": text}
    assert system["content"] == question.system


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (" ", "empty"),
        ("a", "malformed"),
        ("[]", "malformed"),
        ('{"label": 1}', "malformed"),
        ('{"label": "c"}', "not a label"),
    ],
)
def test_a_bad_answer_says_of_what_kind_it_is(answer: str, kind: str) -> None:
    question = LabelQuestion([Label("a", ""), Label("b", "")], "Classify.")

    with pytest.raises(BadAnswer, match=kind):
        question.read(answer)


def test_a_bare_number_is_a_label_where_a_label_is_called_so() -> None:
    question = LabelQuestion([Label("1", ""), Label("2", "")], "Classify.", structured=False)

    assert question.read("2") == 1
