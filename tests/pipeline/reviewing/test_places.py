"""Answers with places, of a third party's task, through files and people: no model is needed."""

import json
from pathlib import Path

import pytest
import yaml

import hilt
from hilt.errors import DataError
from hilt.pipeline.duplicates.inheriting import carrying, inherit, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.formats.json_lines import JsonLines
from hilt.tasks.base import Task
from hilt.types import Decision, Part, Value

TEXTS = {
    "a": "big red fox",
    "b": "Big red fox",  # the same but for a capital: in one group, and not the same text
    "c": "big red fox",  # the same text
    "d": "small grey owl",
}
RED: Value = (Part("key", (4, 7)),)
FOX: Value = (Part("name", (8, 11)),)
BOTH: Value = (*RED, *FOX)


class OnlyLabels(JsonLines):
    """A third party's exchange, which has no cell for places."""

    def lacks(self, task: Task) -> str | None:
        """Refuse all but answers of one label."""
        if task.form == "label":
            return None
        return f"Sheets of labels cannot hold answers to the task {task.name!r}; use .jsonl."


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    rows = "".join(f"{name},{text}\n" for name, text in TEXTS.items())
    (tmp_path / "pool.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    config = {
        "task": "tests.toys.words:Words",
        "pool": {"path": "pool.csv", "id": "id"},
        "labels": ["key", "name"],
        "proposers": [
            {
                "kind": "tests.toys.word_models:Lexicon",
                "name": "lexicon",
                "settings": {"words": {}},
            }
        ],
        "student": {"kind": "tests.toys.word_models:WordCounts"},
        "duplicates": {"near": False},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return hilt.init(tmp_path / "work", tmp_path / "config.yaml")


def answers(work: Workspace) -> dict[str, Value | None]:
    return {each.item_id: each.value for each in LoopState.read(work).resolved}


def write(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_answers_come_in_a_file_and_none_marked_is_one(work: Workspace, tmp_path: Path) -> None:
    said = write(
        tmp_path / "said.jsonl",
        {"id": "a", "answer": [["name", 8, 11], ["key", 4, 7]]},
        {"id": "d", "answer": []},
    )

    hilt.import_answers(work, said, reviewer="ann")

    assert answers(work) == {"a": BOTH, "d": ()}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([["key", 4, 6]], r"\(4, 6\) is not a word of the text"),
        ([["kye", 4, 7]], "'kye' is not a label"),
        ("red", "must be a list of labels as JSON"),
    ],
)
def test_what_is_no_answer_about_the_item_is_refused(
    work: Workspace, tmp_path: Path, answer: object, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        hilt.import_answers(work, write(tmp_path / "x.jsonl", {"id": "a", "answer": answer}))

    assert answers(work) == {}


def test_a_line_with_a_place_that_is_no_word_is_named_and_can_be_left_out(
    work: Workspace, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "answers.jsonl",
        {"id": "a", "answer": [["key", 4, 6]]},
        {"id": "d", "answer": [["key", 0, 5]]},
    )

    with pytest.raises(DataError, match=r"line 1: \(4, 6\) is not a word of the text\.\nNothing"):
        hilt.import_answers(work, path, reviewer="ann")
    result = hilt.import_answers(work, path, reviewer="ann", partial=True)

    assert (result.added, [each.line for each in result.rejected]) == (1, [1])


def test_an_exchange_says_which_tasks_it_does_not_serve(work: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot hold answers to the task 'words'"):
        hilt.export(work, tmp_path / "x.jsonl", format=f"{__name__}:OnlyLabels")


def test_several_people_come_to_what_most_of_them_marked(work: Workspace) -> None:
    said = {"ann": BOTH, "bob": RED, "cid": FOX}
    hilt.record(work, [Decision("a", "label", value, name) for name, value in said.items()])

    (outcome,) = LoopState.read(work).resolved
    found = hilt.agreement(work)

    assert (outcome.value, outcome.reviewers) == (BOTH, ("ann",))
    assert [each.label for each in found.agreement.labels] == ["", "key", "name"]
    assert found.agreement.items == 1  # with three words
    assert found.disputed == 1


def test_a_dispute_is_settled_word_by_word(work: Workspace) -> None:
    for item, values in {"a": (RED, RED, BOTH), "d": ((), (), (Part("key", (0, 5)),))}.items():
        said = zip(("ann", "bob", "cid"), values, strict=True)
        hilt.record(work, [Decision(item, "label", value, name) for name, value in said])

    result = hilt.agreement(work, settle="skill")

    assert (result.settled, result.disputed) == (2, 0)
    assert answers(work) == {"a": RED, "d": ()}


def test_a_copy_inherits_where_the_task_carries_the_answer_over(work: Workspace) -> None:
    hilt.record(work, [Decision("a", "label", RED, "ann")])
    state = LoopState.read(work)

    found = inherit(settled_groups(work, state.resolved), state.resolved, carrying(work))

    assert [*zip(work.pool.ids(found.indices), found.values, strict=True)] == [("c", RED)]


def test_only_what_can_be_carried_over_contradicts(work: Workspace) -> None:
    hilt.record(work, [Decision(item, "label", RED, "ann") for item in ("a", "c")])
    assert hilt.find_contrary(work) == []

    hilt.record(work, [Decision("b", "label", FOX, "bob")])
    assert hilt.find_contrary(work) == []

    hilt.record(work, [Decision("c", "label", FOX, "bob"), Decision("c", "label", FOX, "cid")])
    (found,) = hilt.find_contrary(work)
    assert {each.id: each.label for each in found.copies} == {
        "a": "key 4-7",
        "b": "name 8-11",
        "c": "name 8-11",
    }


def test_all_decisions_go_to_a_file_and_make_the_same_state(
    work: Workspace, tmp_path: Path
) -> None:
    hilt.record(work, [Decision("a", "label", BOTH, "ann"), Decision("d", "label", (), "ann")])
    hilt.export_decisions(work, tmp_path / "all.jsonl")
    new = hilt.init(tmp_path / "new", tmp_path / "config.yaml")

    hilt.import_answers(new, tmp_path / "all.jsonl")

    assert answers(new) == answers(work) == {"a": BOTH, "d": ()}
    assert [each.label for each in hilt.decisions(new)] == ["key 4-7, name 8-11", "nothing"]
