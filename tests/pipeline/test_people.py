"""What is measured about people: agreement, known answers, anchoring, bulk."""

import pytest

from hilt.pipeline.reviewing.anchoring import anchoring, bulk_accuracy
from hilt.pipeline.reviewing.disagreements import (
    disputed,
    doubt_of_skill,
    gold_accuracy,
    little_known,
    settlements,
)
from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.tasks.single import Single
from hilt.values import candidates_from_json, value_of
from tests.pipeline.workspace.test_labels import row

LABELS = ("sport", "tech", "politics")
CONTENTS = dict.fromkeys(range(100), "A text.")


def on(item: int, reviewer: str, label: str | None, **fields: object) -> DecisionRow:
    return row(100 * item + len(reviewer), reviewer, label, item_index=item, **fields)


def batch_item(index: int, *, blind: bool = False) -> BatchItemRow:
    return BatchItemRow(
        batch=1,
        rank=index,
        item_index=index,
        item_id=f"i{index}",
        reason="audit" if blind else "uncertain",
        score=0.5,
        blind=blind,
        proposal=candidates_from_json([["sport", 0.6], ["tech", 0.4]]),
    )


def test_a_majority_settles_what_is_no_tie() -> None:
    rows = [
        *(on(0, name, label) for name, label in (("a", "sport"), ("bb", "sport"), ("ccc", "tech"))),
        *(on(1, name, label) for name, label in (("a", "sport"), ("bb", "tech"))),
        *(on(2, name, "tech") for name in ("a", "bb")),
    ]

    assert disputed(rows) == [0, 1]
    (settled,) = settlements(rows, "majority", Single(LABELS).answers, CONTENTS)
    assert (settled.item, settled.value, settled.because) == (0, value_of("sport"), "2 of 3")


def test_skill_believes_the_reviewer_who_is_mostly_with_the_others() -> None:
    agreed = [on(item, name, "tech") for item in range(20) for name in ("a", "bb")]
    alone = [on(item, "ccc", "sport") for item in range(20)]
    tie = [on(30, "a", "tech"), on(30, "ccc", "sport")]

    made = settlements([*agreed, *alone, *tie], "skill", Single(LABELS).answers, CONTENTS)
    settled = {each.item: each for each in made}

    assert settled[30].value == value_of("tech")
    assert settled[30].because.startswith("probability 0.")


@pytest.mark.parametrize("labels", [LABELS, LABELS[::-1]])
def test_skill_leaves_a_tie_to_a_person_whatever_the_order_of_the_labels(
    labels: tuple[str, ...],
) -> None:
    agreed = [on(item, name, "politics") for item in range(7) for name in ("a", "bb")]
    tie = [on(30, "a", "tech"), on(30, "bb", "sport"), on(31, "a", "sport"), on(31, "bb", "tech")]

    answers = Single(labels).answers
    assert settlements(tie, "skill", answers, CONTENTS) == []
    assert settlements([*agreed, *tie], "skill", answers, CONTENTS) == []
    assert disputed(tie) == [30, 31]


def test_a_skill_is_hardly_known_below_30_shared_labels() -> None:
    tech, sport = value_of("tech"), value_of("sport")
    shared = {item: {"ann": tech, "bo": tech} for item in range(29)}
    alone = {item: {"ann": tech} for item in range(29, 90)}
    with_cleo = {item: {"ann": tech, "cleo": sport} for item in range(90, 93)}

    found = little_known({**shared, **alone, **with_cleo})

    assert found == {"bo": 29, "cleo": 3}  # ann has 32
    assert doubt_of_skill(found).endswith("(bo has 29, cleo has 3).")
    assert doubt_of_skill(dict.fromkeys("abcdefg", 1)).endswith(
        "e has 1, 2 more have fewer than 30)."
    )
    assert doubt_of_skill({}) == ""


def test_what_is_settled_is_disputed_no_more() -> None:
    rows = [on(0, "a", "sport"), on(0, "bb", "tech"), on(0, "dan", "tech", kind="adjudication")]

    assert disputed(rows) == []


def test_reviewers_are_measured_on_known_answers_alone() -> None:
    rows = [
        *(on(item, "gold", "sport", kind="gold") for item in range(4)),
        *(on(item, "ann", "sport" if item else "tech") for item in range(6)),
    ]

    found = gold_accuracy(rows)

    assert list(found) == ["ann"]
    assert (found["ann"].share, found["ann"].items) == (0.75, 4)
    assert found["ann"].low < 0.75 < found["ann"].high


def test_people_lean_when_they_accept_more_of_what_they_see() -> None:
    batches = [batch_item(index, blind=index >= 40) for index in range(50)]
    rows = [
        *(on(item, "ann", "sport" if item < 18 else "tech", batch=1) for item in range(20)),
        *(
            on(item, "ann", "sport" if item < 32 else "tech", batch=1, blind=True)
            for item in range(20, 40)
        ),
        *(on(item, "ann", "tech", batch=1, blind=True, audit=True) for item in range(40, 50)),
    ]

    found = anchoring(rows, batches)

    assert found is not None
    assert (found.shown.share, found.blind.share) == (0.9, 0.6)
    assert (found.shown.items, found.blind.items) == (20, 20)
    assert found.low < 0.3 < found.high
    assert anchoring(rows[:20], batches) is None


def test_second_opinions_and_bulk_say_nothing_of_anchoring() -> None:
    batches = [batch_item(index) for index in range(3)]
    rows = [
        on(0, "ann", "sport", batch=1),
        on(0, "bob", "tech", batch=1, blind=True),
        on(1, "ann", "sport", batch=1, kind="bulk"),
        on(2, "ann", "tech", batch=1, blind=True),
    ]

    found = anchoring(rows, batches)

    assert found is not None
    assert (found.shown.items, found.blind.items) == (1, 1)


def test_bulk_is_measured_by_what_was_asked_again() -> None:
    rows = [
        *(on(item, "ann", "sport", kind="bulk") for item in range(5)),
        on(0, "bob", "sport", kind="check"),
        on(1, "bob", "tech", kind="check"),
        on(9, "bob", "tech"),
    ]

    found = bulk_accuracy(rows)

    assert found is not None
    assert (found.share, found.items) == (0.5, 2)
