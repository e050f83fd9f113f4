"""A third party's task whose items have as many rows as words, from the first row to the release.

Its proposer and its student are the third party's too, and answers come in files.
"""

import csv
import json
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import hilt
from hilt.errors import ConfigError, DataError, ModelError
from hilt.pipeline.benchmarking.benchmark import benchmark
from hilt.pipeline.benchmarking.plan import BenchmarkPlan
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.work import PredictWork
from hilt.pipeline.releasing.loaded import as_items
from hilt.pipeline.reporting.pool_map import pool_map
from hilt.pipeline.reviewing.given_proposals import import_proposals
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.answers.json_cell import JsonForm
from hilt.types import Part, Value
from tests.toys.words import MarkForm, Words, places

MARKED = {"superb": "good", "lovely": "good", "awful": "bad", "broken": "bad"}
THINGS = ("soup", "bread", "cake", "rice", "tea", "room", "bed", "bath", "pool", "view")
FORMS = (
    *("the {0} was superb", "a broken {0} and awful service", "lovely {0}", "we saw the {0}"),
    *("the {0} was awful but the waiter lovely", "superb {0} superb garden"),
)
TEXTS = [form.format(thing) for thing in THINGS for form in FORMS]


def true(text: str) -> Value:
    """Mark the words that matter."""
    words = [(text[begin:end], (begin, end)) for begin, end in map(_ends, places(text))]
    return tuple(sorted(Part(MARKED[word], place) for word, place in words if word in MARKED))


def _ends(place: tuple[float, ...]) -> tuple[int, int]:
    return int(place[0]), int(place[1])


def configure(folder: Path, **changes: Any) -> Path:
    """Write sixty texts, and a configuration that names the third party's classes."""
    task = Words(("good", "bad"))
    known = [MarkForm(task).write(true(text)) | JsonForm(task).write(true(text)) for text in TEXTS]
    lines = [json.dumps({"id": str(n), "text": text, **known[n]}) for n, text in enumerate(TEXTS)]
    (folder / "pool.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lexicon = {"superb": "good", "awful": "bad"}
    config = {
        "task": {
            "kind": "tests.toys.words:Words",
            "settings": {"form": "tests.toys.words:MarkForm"},
        },
        "pool": {"path": "pool.jsonl", "id": "id"},
        "labels": ["good", "bad"],
        "proposers": [
            {
                "kind": "tests.toys.word_models:Lexicon",
                "name": "lexicon",
                "settings": {"words": lexicon},
            }
        ],
        "student": {"kind": "tests.toys.word_models:WordCounts"},
        "batch": {"size": 20, "audit": 0.2, "recheck": 0.1},
        "duplicates": {"near": False},
        "device": "cpu",
        **changes,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder / "config.yaml"


def answer(workspace: Workspace, folder: Path) -> None:
    """Answer the open batch in a file, as a person would who makes no mistake."""
    file = folder / "batch.jsonl"
    hilt.export(workspace, file, force=True)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert isinstance(workspace.task, Words)
    form = MarkForm(workspace.task)
    said = [{"id": row["id"], **form.write(true(row["text"]))} for row in rows]
    answers = folder / "answers.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in said), encoding="utf-8")
    hilt.import_answers(workspace, answers, reviewer="ann")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which 40 of 60 texts are answered; do not change."""
    folder = tmp_path_factory.mktemp("words")
    workspace = hilt.init(folder / "work", configure(folder))
    hilt.propose(workspace)
    hilt.select(workspace)
    answer(workspace, folder)
    hilt.cycle(workspace)
    answer(workspace, folder)
    hilt.cycle(workspace)
    workspace.database.close()
    return folder / "work"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    return hilt.open_workspace(shutil.copytree(made, tmp_path / "work"))


def test_every_word_has_a_row(workspace: Workspace) -> None:
    fused = workspace.rows(workspace.fused)

    assert len(fused) == 60
    assert len(fused.values) == sum(len(text.split()) for text in TEXTS)
    assert fused.of(1).shape == (6, 3)
    np.testing.assert_allclose(fused.values.sum(axis=1), 1, atol=2e-3)


def test_the_student_learns_what_the_lexicon_lacks(workspace: Workspace) -> None:
    fused, task = workspace.rows(workspace.fused), workspace.task

    found = [task.rows.decode(fused.of(n), text) for n, text in enumerate(TEXTS)]

    assert found == [true(text) for text in TEXTS]


def test_what_is_measured_counts_answers_in_part(workspace: Workspace) -> None:
    first, last = (row.summary for row in workspace.database.trainings())

    assert first.labelled is not None
    assert last.labelled is not None
    assert 0.5 < first.labelled["accuracy"] <= last.labelled["accuracy"]
    assert (first.human_labels, last.human_labels) == (20, 40)
    assert last.fusion["student"] > 0


def test_answers_stand_in_files_as_the_form_of_the_task_writes_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    hilt.export(workspace, tmp_path / "batch.csv")
    with (tmp_path / "batch.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (tmp_path / "said.csv").write_text(f"id,marks\n{rows[0]['id']},good\n", encoding="utf-8")

    assert any(re.fullmatch(r"(good|bad) \d+-\d+", row["proposal"]) for row in rows)
    with pytest.raises(DataError, match="line 2: 'good' is no mark, such as 'good 0-4'"):
        hilt.import_answers(workspace, tmp_path / "said.csv")


def test_the_answers_are_released_and_the_student_is_saved(
    workspace: Workspace, tmp_path: Path
) -> None:
    hilt.release(workspace, tmp_path / "out")

    assert (tmp_path / "out" / "student" / "own" / "counts.json").exists()
    of_data, of_model = (
        yaml.safe_load((tmp_path / "out" / card).read_text(encoding="utf-8").split("---\n")[1])
        for card in ("README.md", "student/README.md")
    )
    assert (of_data["task_categories"], of_data["tags"][0]) == (["other"], "other")
    assert "pipeline_tag" not in of_model
    hilt.report(workspace, tmp_path / "report.html")
    assert "good" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_released_student_marks_the_words_of_new_texts(
    workspace: Workspace, tmp_path: Path
) -> None:
    release = hilt.release(workspace, tmp_path / "out")
    new = tmp_path / "new.csv"
    new.write_text('text\nsuperb soup\n""\nthe view\n', encoding="utf-8")

    result = hilt.predict(tmp_path / "out", new, tmp_path / "p.csv", trust=release.trust)
    student = hilt.load_student(tmp_path / "out", trust=release.trust)

    card = (tmp_path / "out" / "student" / "README.md").read_text(encoding="utf-8")
    assert "A model for the task `words` with 2 labels." in card
    assert "answers = student.predict(texts)  # as in the dataset of the release\nrows =" in card
    assert "onnx" not in card.lower()
    assert release.trust == ("tests.toys.word_models:WordCounts", "tests.toys.words:Words")
    assert student.predict(["superb soup", "the view"]) == ['[["good", 0, 6]]', "[]"]
    assert student.predict_proba(["superb soup", "the view"]).shape == (4, 3)
    assert (result.items, result.unlabelled, result.label_counts) == (3, 1, {"good": 1})
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ['[["good", 0, 6]]', "", "[]"]
    assert 0 < float(rows[0]["probability"]) < 1


def test_every_text_has_its_rows(workspace: Workspace) -> None:
    student = hilt.load_student(workspace)

    rows = student.predict_rows(["the broken superb chair", "", "a door"])

    assert [len(rows.of(place)) for place in range(3)] == [4, 0, 2]
    assert student.predict_proba([]).shape == (0, 3)
    assert student.predict(["a door"] * 3000 + ["lovely"])[2999:] == ["[]", '[["good", 0, 6]]']


def test_what_predicts_words_travels_with_its_task(workspace: Workspace) -> None:
    work = hilt.load_student(workspace).work
    items = as_items(["a lovely door", "broken"])

    arrived: PredictWork = pickle.loads(pickle.dumps(work))

    assert arrived.task.name == "words"
    np.testing.assert_array_equal(arrived.open()(items), work.open()(items))


def test_words_have_no_graph(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the task 'words' cannot be exported to ONNX"):
        hilt.onnx(workspace, tmp_path / "onnx")

    assert not (tmp_path / "onnx").exists()


def test_words_have_no_probability_for_each_label(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text\nsuperb soup\n", encoding="utf-8")

    with pytest.raises(DataError, match="no probability for each label in the task 'words'"):
        hilt.predict(workspace, tmp_path / "new.csv", tmp_path / "p.csv", all_probabilities=True)


def test_the_map_of_the_report_has_a_colour_for_each_stratum(workspace: Workspace) -> None:
    state = LoopState.read(workspace)

    drawn = pool_map(workspace, state.item_labels, state.batch_items)

    assert drawn is not None
    assert set(drawn.labels) <= {"nothing marked", "good", "bad"}


def test_appended_texts_keep_the_rows_that_are_there(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.proposal("lexicon").open().copy()
    path = configure(tmp_path)
    with (tmp_path / "pool.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "60", "text": "superb bread"}) + "\n")

    hilt.append(workspace.folder, path)
    grown = hilt.open_workspace(workspace.folder)
    hilt.propose(grown)

    after = grown.rows(grown.proposal("lexicon"))
    np.testing.assert_array_equal(after.values[: len(before)], before)
    assert after.of(60).argmax(axis=1).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"proposers": [{"kind": "zero_shot"}]}, "Proposer 'zero_shot' does not serve the task"),
        ({"selector": {"kind": "badge"}}, "Selector 'badge' does not serve the task 'words'"),
        ({"student": {"kind": "linear"}}, "Student 'linear' does not serve the task 'words'"),
        ({"student": {"kind": "auto"}}, "Student 'linear' does not serve the task 'words'"),
    ],
)
def test_what_does_not_serve_the_task_is_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        hilt.load_config(configure(tmp_path, **changes))


@pytest.mark.parametrize(
    ("form", "column"), [("tests.toys.words:MarkForm", "marks"), ("json", "answer")]
)
def test_known_answers_are_read_as_answer_files_are(tmp_path: Path, form: str, column: str) -> None:
    source = {"path": "pool.jsonl", "id": "id", "label": column}
    task = {"kind": "tests.toys.words:Words", "settings": {"form": form}}
    path = configure(tmp_path, task=task, pool=source, test=dict(source))
    work = hilt.init(tmp_path / "work", path)
    hilt.propose(work)

    hilt.simulate(work, hilt.select(work))
    hilt.cycle(work)

    texts = dict(zip(work.pool.ids(slice(None)), TEXTS, strict=True))
    said = {row.item_id: row.value for row in work.database.decisions()}
    assert len(said) == 20
    assert said == {item_id: true(texts[item_id]) for item_id in said}
    (training,) = work.database.trainings()
    assert training.summary.test is not None
    assert training.summary.test["student"]["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ("god 0-3", "line 2: 'god' is not a label"),
        ("good 1-3", r"line 2: \(1, 3\) is not a word of the text"),
        ("good", "line 2: 'good' is no mark, such as 'good 0-4'"),
    ],
)
def test_a_known_answer_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, known: str, says: str
) -> None:
    source = {"path": "pool.jsonl", "id": "id", "label": "marks"}
    path = configure(tmp_path, pool=source)
    rows = [{"id": "0", "text": "a", "marks": "-"}, {"id": "1", "text": "the tea", "marks": known}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "pool.jsonl").write_text(lines, encoding="utf-8")

    with pytest.raises(DataError, match=says):
        hilt.init(tmp_path / "work", path)


def test_a_benchmark_refuses_the_task_before_it_begins(tmp_path: Path) -> None:
    source = {"path": "pool.jsonl", "id": "id", "label": "marks"}
    path = configure(tmp_path, pool=source, test=dict(source))
    plan = BenchmarkPlan(arms=("hilt",), at=(20,), seeds=1, processes=1)

    with pytest.raises(ConfigError, match="one label each, but the task is 'words'"):
        benchmark(path, tmp_path / "runs", plan)


def test_a_file_of_proposals_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "said.csv").write_text("id,marks\n0,-\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="one label an item, but the task is 'words'"):
        import_proposals(workspace, tmp_path / "said.csv")
