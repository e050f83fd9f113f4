import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from hilt.errors import ConfigError
from hilt.pipeline.configuration.proposer_kinds import Rule
from hilt.proposers import rules as rules_module
from hilt.proposers.base import Context
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.rules import Rules, combine_votes, keyword_pattern
from hilt.types import Items, Label

CONTEXT = Context(
    (Label("sport", "sport"), Label("money", "money"), Label("space", "space")),
    SentenceEmbedder(device="cpu"),
)

FUNCTIONS = """
def shouts(text):
    return text.isupper()

def names_it(text):
    return next((name for name in ("sport", "money", "sprot") if name in text), None)

def counts(text):
    return 3

def fails(text):
    return 1 / 0

def leaves(text):
    raise SystemExit(0)

number = 7
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with functions, in a folder that Python looks in."""
    (tmp_path / "hilt_test_functions.py").write_text(FUNCTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "hilt_test_functions", raising=False)
    return "hilt_test_functions"


def votes_of(rule: Mapping[str, object], *texts: str) -> list[int]:
    votes: list[int] = Rules(CONTEXT, [rule]).votes(texts)[:, 0].tolist()
    return votes


def test_a_keyword_is_found_as_a_whole_word_in_any_case() -> None:
    rule = {"label": "sport", "keywords": ["goal"]}

    assert votes_of(rule, "A late GOAL!", "goalkeeper", "own-goal", "two goals") == [0, -1, 0, -1]


def test_a_phrase_is_found_across_white_space() -> None:
    rule = {"label": "money", "keywords": ["interest rate"]}

    assert votes_of(rule, "Interest\n  rate up", "interest in a rate", "interest rates") == [
        1,
        -1,
        -1,
    ]


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("straße", "IN DER STRASSE."),
        ("café", "two cafe\u0301 tables"),
        ("İstanbul", "İSTANBUL bugün"),
        ("c++", "written in C++."),
        ("2", "the m ² sign"),
        ("足球", "我喜欢足球比赛"),
        ("ฟุตบอล", "ผมชอบฟุตบอลมาก"),
        ("खेल", "यह खेल है"),
    ],
)
def test_a_keyword_is_found_in_any_script(keyword: str, text: str) -> None:
    assert votes_of({"label": "sport", "keywords": [keyword]}, text) == [0]


@pytest.mark.parametrize(
    ("keyword", "text"), [("мяч", "мячи"), ("हिन्द", "हिन्दी"), ("मल", "कोमल"), ("a.c", "abc")]
)
def test_a_keyword_is_not_found_inside_a_word_in_any_script(keyword: str, text: str) -> None:
    assert keyword_pattern([keyword]).search(text) is None


def test_a_pattern_is_searched_in_the_text_as_it_stands_in_any_case() -> None:
    rule = {"label": "money", "pattern": r"\$\s?\d+  (bn|million)"}

    assert votes_of(rule, "paid $3  BN today", "paid $3 bn today") == [1, -1]


def test_a_function_may_say_true_for_the_label_of_its_rule(functions: str) -> None:
    rule = {"label": "space", "function": f"{functions}:shouts"}

    assert votes_of(rule, "LIFT-OFF", "a quiet day") == [2, -1]


def test_a_function_may_name_the_label(functions: str) -> None:
    rule = {"function": f"{functions}:names_it"}

    assert votes_of(rule, "all about money", "sport", "nothing") == [1, 0, -1]


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ({"function": "names_it"}, "sprot", "votes for 'sprot'.* Did you mean: sport"),
        ({"function": "counts"}, "a", "'hilt_test_functions:counts' returned 3. Allowed"),
        ({"function": "shouts"}, "A", "returned True; give the rule a `label`"),
        ({"function": "fails", "name": "odd"}, "A", "'odd' failed with ZeroDivisionError.*'A'"),
        ({"function": "fails"}, "A", r"\(.*hilt_test_functions.py, line 12\)"),
        ({"function": "leaves"}, "A", "failed with SystemExit"),
    ],
)
def test_an_answer_that_is_no_vote_is_refused(
    rule: dict[str, str], text: str, words: str, functions: str
) -> None:
    rules = Rules(CONTEXT, [{**rule, "function": f"{functions}:{rule['function']}"}])

    with pytest.raises(ConfigError, match=words):
        rules.votes([text])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"label": "sprot", "keywords": ["a"]}, "'a' votes for 'sprot'.* Did you mean: sport"),
        ({"function": "no_such_module:f"}, "no module 'no_such_module'.*PYTHONPATH=."),
        ({"function": "hilt_test_functions:absent"}, "has no 'absent'"),
        ({"function": "hilt_test_functions:number"}, "is 7; it must be a function"),
    ],
)
@pytest.mark.usefixtures("functions")
def test_a_rule_that_cannot_work_is_refused_at_once(rule: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Rules(CONTEXT, [rule])


def test_the_fingerprint_changes_with_the_code_of_a_function(
    functions: str, tmp_path: Path
) -> None:
    rules: list[dict[str, object]] = [
        {"function": f"{functions}:names_it"},
        {"label": "sport", "keywords": ["a"]},
    ]
    before = Rules(CONTEXT, rules).fingerprint
    del sys.modules[functions]
    (tmp_path / f"{functions}.py").write_text(FUNCTIONS + "# more\n", encoding="utf-8")

    after = Rules(CONTEXT, rules).fingerprint

    assert list(before) == [f"{functions}:names_it"]
    assert before != after


def test_one_vote_gives_its_label_the_confidence_of_the_rule() -> None:
    votes = np.array([[1]], dtype=np.int16)

    np.testing.assert_allclose(combine_votes(votes, [0.7], 4), [[0.1, 0.7, 0.1, 0.1]], rtol=1e-6)


def test_a_surer_rule_outvotes_a_less_sure_one() -> None:
    votes = np.array([[0, 1]], dtype=np.int16)

    combined = combine_votes(votes, [0.6, 0.9], 2)

    # Bayes by hand: 0.6 * 0.1 to 0.4 * 0.9.
    np.testing.assert_allclose(combined, [[0.06 / 0.42, 0.36 / 0.42]], rtol=1e-6)


def test_a_rule_that_guesses_says_nothing() -> None:
    votes = np.array([[0, 1]], dtype=np.int16)

    np.testing.assert_allclose(combine_votes(votes, [0.25, 0.7], 4)[0], [0.1, 0.7, 0.1, 0.1])


@given(
    arrays(np.int16, st.tuples(st.integers(0, 8), st.just(3)), elements=st.integers(-1, 3)),
    st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3),
)
def test_rows_sum_to_one_or_abstain_exactly_where_no_rule_votes(
    votes: np.ndarray, confidences: list[float]
) -> None:
    combined = combine_votes(votes, confidences, 4)

    silent = (votes == -1).all(axis=1)
    assert np.isnan(combined[silent]).all()
    np.testing.assert_allclose(combined[~silent].sum(axis=1), 1, rtol=1e-5)


@given(arrays(np.int16, st.tuples(st.integers(1, 8), st.just(3)), elements=st.integers(-1, 3)))
def test_the_order_of_the_rules_does_not_matter(votes: np.ndarray) -> None:
    forwards = combine_votes(votes, [0.6, 0.7, 0.8], 4)

    np.testing.assert_allclose(forwards, combine_votes(votes[:, ::-1], [0.8, 0.7, 0.6], 4), 1e-5)


def test_items_are_proposed_by_what_their_texts_say() -> None:
    rules = Rules(
        CONTEXT,
        [
            {"label": "sport", "keywords": ["goal", "match"], "confidence": 0.9},
            {"label": "money", "pattern": r"\bbanks?\b", "confidence": 0.7},
        ],
    )
    texts = ["A goal in the last match", "The bank closed", "Rain tomorrow", "A bank match"]

    proposal = rules.propose(Items(ids=list("abcd"), contents=texts))

    assert proposal.dtype == np.float32
    np.testing.assert_allclose(proposal[0], [0.9, 0.05, 0.05], rtol=1e-6)
    np.testing.assert_allclose(proposal[1], [0.15, 0.7, 0.15], rtol=1e-6)
    assert np.isnan(proposal[2]).all()
    assert proposal[3].argmax() == 0


def test_no_items_give_no_rows() -> None:
    rules = Rules(CONTEXT, [{"label": "sport", "keywords": ["goal"]}])

    assert rules.propose(Items(ids=[], contents=[])).shape == (0, 3)


def test_a_pattern_that_would_take_for_ever_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = "(a|aa)+$"
    monkeypatch.setattr(rules_module, "MAX_WAIT_SECONDS", 0.05)

    with pytest.raises(ConfigError, match=r"took more than 0\.05 seconds for one text") as caught:
        votes_of({"label": "money", "pattern": pattern}, "plain", "a" * 60 + "!")

    assert repr(pattern) in str(caught.value)


def test_a_pattern_of_five_thousand_words_is_found_and_not_told() -> None:
    pattern = "|".join(f"word{number}" for number in range(5_000))
    rule = {"label": "money", "pattern": pattern}

    assert votes_of(rule, "a word4999", "nothing") == [1, -1]
    with pytest.raises(ConfigError) as caught:
        Rules(CONTEXT, [{**rule, "label": "zebra"}])
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "pattern", ["(", "*", "a{99999999999}", "(" * 5000 + ")" * 5000, r"\p{Lu}", "x" * 9000 + "("]
)
def test_what_is_no_pattern_is_refused_with_the_configuration(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a regular expression") as caught:
        Rule(label="money", pattern=pattern)

    assert len(str(caught.value.errors()[0]["msg"])) < 500
