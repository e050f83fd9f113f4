"""The task `single`: what people say, and what models say."""

import numpy as np
import pytest

from hilt.rows import Rows
from hilt.tasks.base import TASKS, Task
from hilt.types import Part, Value

LABELS = ("billing", "delivery", "returns")


def value(label: str) -> Value:
    return (Part(label),)


@pytest.fixture
def task() -> Task:
    made: Task = TASKS.make("single", "Task 'single'", {}, LABELS)
    return made


def test_an_answer_is_exactly_one_label(task: Task) -> None:
    assert task.answers.problem(value("billing"), "text") is None
    assert "exactly one label" in str(task.answers.problem((), "text"))
    assert "without a place" in str(task.answers.problem((Part("billing", (0, 3)),), None))
    assert task.answers.problem((Part("billing"), Part("returns")), "text") is not None
    assert "Did you mean: billing?" in str(task.answers.problem(value("biling"), "text"))


def test_the_majority_wins_and_of_equals_the_latest(task: Task) -> None:
    said = [value("billing"), value("returns"), value("billing")]

    assert task.answers.resolve(said) == value("billing")
    assert task.answers.resolve(said[:2]) == value("returns")
    assert task.answers.resolve(said, np.array([1, 3, 1])) == value("returns")


def test_an_error_is_another_label(task: Task) -> None:
    rng = np.random.default_rng(0)

    wrong = {task.answers.corrupted(value("billing"), "text", rng) for _ in range(40)}

    assert wrong == {value("delivery"), value("returns")}
    assert {task.answers.loss(each, value("billing")) for each in wrong} == {1.0}


def test_answers_come_back_from_their_rows(task: Task) -> None:
    values = [value(label) for label in LABELS]
    targets = task.rows.encode(values, ["text"] * 3)

    assert [task.rows.decode(targets.rows.of(item), "text") for item in range(3)] == values
    assert task.rows.offsets(["text"]) is None
    assert targets.weights.tolist() == [1, 1, 1]


def test_candidates_are_the_likeliest_labels(task: Task) -> None:
    found = task.rows.candidates(np.array([[0.2, 0.5, 0.3]]), "text", 2)

    assert [(each.label, each.probability) for each in found] == [
        ("delivery", 0.5),
        ("returns", 0.3),
    ]


def test_a_row_says_how_sure_it_is(task: Task) -> None:
    rows = Rows(np.array([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1]], dtype=np.float32))

    assert task.rows.doubt(rows, "margin") == pytest.approx([0.3, 0.9])
    assert task.rows.confidence(rows) == pytest.approx([0.8, 0.5])
    assert task.rows.strata(rows).tolist() == [0, 1]


def test_rows_of_several_words_are_cut_at_their_offsets() -> None:
    rows = Rows(np.arange(10.0).reshape(5, 2), np.array([0, 2, 2, 5]))

    assert len(rows) == 3
    assert rows.of(0).tolist() == [[0, 1], [2, 3]]
    assert len(rows.of(1)) == 0
    taken = rows.take(np.array([2, 0]))
    assert taken.values[:, 0].tolist() == [4, 6, 8, 0, 2]
    assert taken.offsets is not None
    assert taken.offsets.tolist() == [0, 3, 5]
