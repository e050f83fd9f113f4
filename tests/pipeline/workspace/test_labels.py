"""What the decisions about an item amount to, once some are taken back or settled."""

from datetime import UTC, datetime

from hilt.pipeline.workspace.labels import not_withdrawn, resolve_all
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.tasks.single import Single
from hilt.values import value_of

ANSWERS = Single(("sport", "tech", "politics")).answers
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def row(number: int, reviewer: str, label: str | None, **fields: object) -> DecisionRow:
    values: dict[str, object] = {
        "item_index": 0,
        "item_id": "i0",
        "action": "skip" if label is None else "label",
        "value": () if label is None else value_of(label),
        "comment": "",
        "blind": False,
        "audit": False,
        "source": "screen",
        "decided_at": NOON,
        "kind": "review",
        "key": f"key-{number}",
    }
    return DecisionRow(id=number, reviewer=reviewer, **(values | fields))


def undo(number: int, reviewer: str, key: str) -> DecisionRow:
    return row(number, reviewer, None, action="undo", withdraws=key)


def test_what_was_taken_back_leaves_no_outcome() -> None:
    rows = [row(1, "ann", "sport"), undo(2, "ann", "key-1")]

    assert not_withdrawn(rows) == []
    assert resolve_all(rows, ANSWERS) == []


def test_an_earlier_decision_stands_again_when_the_later_is_taken_back() -> None:
    rows = [row(1, "ann", "sport"), row(2, "ann", "tech"), undo(3, "ann", "key-2")]

    assert [outcome.value for outcome in resolve_all(rows, ANSWERS)] == [value_of("sport")]


def test_nobody_takes_back_what_another_said() -> None:
    rows = [row(1, "ann", "sport"), undo(2, "bob", "key-1")]

    assert [outcome.value for outcome in resolve_all(rows, ANSWERS)] == [value_of("sport")]


def test_an_adjudication_outweighs_the_majority_and_keeps_who_agreed() -> None:
    rows = [
        row(1, "ann", "sport", audit=True),
        row(2, "bob", "tech"),
        row(3, "cleo", "tech"),
        row(4, "dan", "sport", kind="adjudication"),
    ]

    (outcome,) = resolve_all(rows, ANSWERS)

    assert (outcome.value, outcome.reviewers, outcome.audit) == (
        value_of("sport"),
        ("ann", "dan"),
        True,
    )


def test_a_known_answer_outweighs_everything() -> None:
    rows = [
        row(1, "gold", "politics", kind="gold"),
        row(2, "ann", "sport"),
        row(3, "dan", "sport", kind="adjudication"),
    ]

    assert resolve_all(rows, ANSWERS)[0].value == value_of("politics")


def test_an_adjudicator_may_say_that_an_item_has_no_label() -> None:
    rows = [row(1, "ann", "sport"), row(2, "dan", None, kind="adjudication")]

    assert resolve_all(rows, ANSWERS)[0].value is None


def test_who_is_overruled_stays_in_the_audit() -> None:
    blind = row(1, "ann", "sport", audit=True, blind=True)
    settled = row(2, "cleo", "tech", kind="adjudication")

    (outcome,) = resolve_all([blind, settled], ANSWERS)

    assert (outcome.value, outcome.audit, outcome.blind) == (value_of("tech"), True, True)
    assert outcome.reviewers == ("cleo",)


def test_an_audit_that_is_taken_back_is_none() -> None:
    rows = [row(1, "ann", "sport", audit=True), undo(2, "ann", "key-1"), row(3, "bob", "tech")]

    assert [outcome.audit for outcome in resolve_all(rows, ANSWERS)] == [False]
