from dataclasses import replace

import numpy as np
import pytest

from hilt.media.shown import Shown
from hilt.review.simulated import SimulatedReviewer
from hilt.tasks.single import Single
from hilt.types import Batch, BatchItem, Part, Value
from hilt.values import value_of
from tests.toys.words import Words, places

LABELS = ["a", "b", "c"]
KEY = {f"item-{number}": value_of(LABELS[number % 3]) for number in range(2000)}
ANSWERS = Single(tuple(LABELS)).answers


def batch(ids: list[str]) -> Batch:
    return Batch(
        4,
        tuple(
            BatchItem(rank, rank, item_id, Shown({"text": "text"}), "random", 0.5, False, ())
            for rank, item_id in enumerate(ids)
        ),
    )


def said(reviewer: SimulatedReviewer, ids: list[str]) -> dict[str, Value]:
    return {
        decision.item_id: decision.value
        for decision in reviewer.review(batch(ids), ["text"] * len(ids))
    }


def test_a_reviewer_without_errors_says_what_the_key_says() -> None:
    decisions = SimulatedReviewer(KEY, ANSWERS, seconds=3.0).review(
        batch(list(KEY)), ["text"] * len(KEY)
    )

    assert {decision.item_id: decision.value for decision in decisions} == KEY
    assert {(d.batch, d.seconds, d.source, d.reviewer, d.action) for d in decisions} == {
        (4, 3.0, "simulated", "simulated", "label")
    }


def test_errors_are_about_as_frequent_as_asked_and_spread_over_the_other_labels() -> None:
    answers = said(SimulatedReviewer(KEY, ANSWERS, error_rate=0.3), list(KEY))
    wrong = [(KEY[item_id], value) for item_id, value in answers.items() if KEY[item_id] != value]

    assert 500 < len(wrong) < 700
    assert len(set(wrong)) == 6
    assert min(wrong.count(pair) for pair in set(wrong)) > 60


def test_a_reviewer_who_is_always_wrong_never_says_the_truth() -> None:
    answers = said(SimulatedReviewer(KEY, ANSWERS, error_rate=1.0), list(KEY))

    assert not [item_id for item_id, value in answers.items() if value == KEY[item_id]]


def test_an_answer_depends_on_the_seed_and_the_item_but_not_on_the_order() -> None:
    reviewer = SimulatedReviewer(KEY, ANSWERS, error_rate=0.5, seed=1)
    forwards = said(reviewer, list(KEY))

    assert said(reviewer, list(reversed(KEY))) == forwards
    assert said(SimulatedReviewer(KEY, ANSWERS, error_rate=0.5, seed=2), list(KEY)) != forwards


def test_asked_again_a_reviewer_errs_anew_and_always_alike() -> None:
    reviewer = SimulatedReviewer(KEY, ANSWERS, error_rate=0.3)
    again = tuple(replace(item, reason="recheck") for item in batch(list(KEY)).items)
    texts = ["text"] * len(again)

    first = said(reviewer, list(KEY))
    second, later = (reviewer.review(Batch(number, again), texts) for number in (5, 6))

    wrong = {item_id for item_id, value in first.items() if value != KEY[item_id]}
    still = [d for d in second if d.item_id in wrong and d.value != KEY[d.item_id]]
    assert 0.2 < len(still) / len(wrong) < 0.4
    assert reviewer.review(Batch(5, again), texts) == second
    assert [d.value for d in later] != [d.value for d in second]


def test_times_may_depend_on_the_text_and_on_chance() -> None:
    shaped = SimulatedReviewer(KEY, ANSWERS, seconds=1, seconds_per_character=0.5)
    noisy = replace(shaped, seconds_noise=0.4)

    times = [noisy.seconds_for(item_id, "text") for item_id in KEY]

    assert shaped.seconds_for("item-0", "text") == 3
    assert noisy.seconds_for("item-0", "text") == times[0]
    assert np.log(times).mean() == pytest.approx(np.log(3), abs=0.05)
    assert np.log(times).std() == pytest.approx(0.4, abs=0.03)
    assert said(noisy, list(KEY)) == said(shaped, list(KEY))


def test_an_item_without_a_known_label_is_skipped() -> None:
    decisions = SimulatedReviewer({}, ANSWERS).review(batch(["x", "y"]), ["text", "text"])

    assert [(decision.action, decision.value) for decision in decisions] == [("skip", ())] * 2


def test_an_error_is_one_that_the_content_allows() -> None:
    content, truth = "a fox ran", value_of(Part("key", (2, 5)))
    shown = BatchItem(0, 0, "x", Shown({"front": "A", "back": "fox"}), "random", 0.5, False, ())
    reviewer = SimulatedReviewer({"x": truth, "y": ()}, Words(("key",)).answers, error_rate=1.0)

    (forgotten,) = reviewer.review(Batch(4, (shown,)), [content])
    (made_up,) = reviewer.review(Batch(4, (replace(shown, item_id="y"),)), [content])

    assert forgotten.value == ()
    assert made_up.value[0].place in places(content)
