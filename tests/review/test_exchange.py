import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilt.errors import DataError
from hilt.media.shown import Shown
from hilt.review.base import EXCHANGES, Answers, Exchange
from hilt.review.formats.csv_table import CsvTable
from hilt.review.formats.json_lines import JsonLines
from hilt.tasks.single import Single
from hilt.types import Batch, BatchItem
from hilt.values import candidates_from_json, value_of

LABELS = ("sport", "world", "science")
TASK = Single(LABELS)
EXCHANGE_NAMES = ["jsonl", "csv"]
# Half a surrogate pair cannot come out of a pool.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
IDS = TEXTS.filter(str.strip)


def item(
    rank: int, item_id: str, text: str = "a text", *, blind: bool = False, proposal: str = "sport"
) -> BatchItem:
    return BatchItem(
        rank=rank,
        index=rank + 100,
        item_id=item_id,
        shown=Shown({"text": text}),
        reason="audit" if blind else "uncertain",
        score=0.123456,
        blind=blind,
        proposal=candidates_from_json([[proposal, 0.81], ["world", 0.12], ["science", 0.07]]),
        proposed=value_of(proposal),
    )


def exchange(name: str) -> Exchange:
    made: Exchange = EXCHANGES.load(name)()
    return made


def read(path: Path, content: str | bytes, reviewer: str = "ada") -> Answers:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return exchange(path.suffix[1:]).read(path, TASK, reviewer)


def read_fields(path: Path, *lines: Mapping[str, object]) -> Answers:
    """Read lines given as fields, written in the format that the path's ending names."""
    if path.suffix == ".jsonl":
        return read(path, "".join(json.dumps(dict(line)) + "\n" for line in lines))
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(
        sheet, list(dict.fromkeys(["id", "label", *(k for d in lines for k in d)]))
    )
    writer.writeheader()
    writer.writerows(lines)
    return read(path, sheet.getvalue())


def fill(path: Path, **answer: str) -> None:
    """Do what a person does: write the same answer into every line."""
    content = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".jsonl":
        lines = [json.loads(line) | answer for line in content.split("\n") if line]
        path.write_bytes("".join(json.dumps(line) + "\n" for line in lines).encode())
        return
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, list(rows[0]))
    writer.writeheader()
    writer.writerows(row | answer for row in rows)
    path.write_bytes(sheet.getvalue().encode())


@pytest.fixture(params=EXCHANGE_NAMES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"batch.{request.param}"


@pytest.mark.parametrize("name", EXCHANGE_NAMES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(IDS, min_size=1, max_size=4, unique=True), text=TEXTS)
def test_whatever_the_texts_and_ids_the_answers_come_back_for_the_right_items(
    tmp_path: Path, name: str, ids: list[str], text: str
) -> None:
    path = tmp_path / f"batch.{name}"
    batch = Batch(3, tuple(item(rank, item_id, text) for rank, item_id in enumerate(ids)))

    exchange(name).write(batch, path, TASK)
    untouched = exchange(name).read(path, TASK, "ada")
    fill(path, action="accept", seconds="4.5", comment="ok")
    answers = exchange(name).read(path, TASK, "ada")

    assert untouched == Answers((), (), len(ids))
    assert [decision.item_id for decision in answers.decisions] == ids
    assert {(line.accepts, line.decision.value) for line in answers.lines} == {(True, ())}
    assert [line.rank for line in answers.lines] == list(range(len(ids)))
    assert {(d.batch, d.seconds, d.comment, d.reviewer) for d in answers.decisions} == {
        (3, 4.5, "ok", "ada")
    }
    assert answers.rejections == ()


def test_writing_leaves_one_file_and_replaces_an_older_one(path: Path) -> None:
    path.write_text("old")

    exchange(path.suffix[1:]).write(Batch(1, (item(0, "a"),)), path, TASK)

    assert list(path.parent.iterdir()) == [path]
    assert "old" not in path.read_text("utf-8")


def test_a_json_line_says_everything_about_an_item(tmp_path: Path) -> None:
    JsonLines().write(Batch(1, (item(0, "007", "a\u2028b é"),)), tmp_path / "b.jsonl", TASK)
    content = (tmp_path / "b.jsonl").read_text("utf-8")

    assert "a\\u2028b é" in content
    assert json.loads(content) == {
        "batch": 1,
        "rank": 0,
        "id": "007",
        "text": "a\u2028b é",
        "blind": False,
        "reason": "uncertain",
        "score": 0.1235,
        "proposal": "sport",
        "probability": 0.81,
        "alternatives": [
            {"label": "world", "probability": 0.12},
            {"label": "science", "probability": 0.07},
        ],
        "label": None,
        "action": None,
        "seconds": None,
        "comment": "",
        "reviewer": None,
    }


def test_a_row_says_everything_about_an_item(tmp_path: Path) -> None:
    CsvTable().write(Batch(1, (item(0, "007"),)), tmp_path / "b.csv", TASK)
    content = (tmp_path / "b.csv").read_bytes().decode()

    assert content == (
        "\ufeffbatch,rank,id,text,blind,reason,score,proposal,probability,alternatives,"
        "label,action,seconds,comment,reviewer\r\n"
        "1,0,007,a text,false,uncertain,0.1235,sport,0.81,world (0.12); science (0.07),,,,,\r\n"
    )


def test_a_blind_line_shows_nothing_that_leans(path: Path) -> None:
    exchange(path.suffix[1:]).write(Batch(1, (item(0, "a", blind=True),)), path, TASK)
    content = path.read_text("utf-8").casefold()

    assert "true" in content
    assert not [word for word in ("sport", "world", "audit", "0.1", "0.8") if word in content]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted_and_its_id_is_not(
    tmp_path: Path, text: str
) -> None:
    CsvTable().write(Batch(1, (item(0, "=id", text),)), tmp_path / "b.csv", TASK)
    with (tmp_path / "b.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))

    assert (row["id"], row["text"]) == ("=id", "'" + text)


def test_id_and_label_are_enough(path: Path) -> None:
    answers = read_fields(path, {"id": "a", "label": " sport "}, {"id": "b", "label": ""})

    assert [(d.item_id, d.action, d.value) for d in answers.decisions] == [
        ("a", "label", value_of("sport"))
    ]
    assert answers.decisions[0].batch is None
    assert answers.decisions[0].seconds is None
    assert answers.unanswered == 1


def test_skip_and_flag_carry_no_label(path: Path) -> None:
    answers = read_fields(path, {"id": "a", "action": "skip"}, {"id": "b", "action": " FLAG "})

    assert [(d.item_id, d.action, d.value) for d in answers.decisions] == [
        ("a", "skip", ()),
        ("b", "flag", ()),
    ]


def test_a_line_may_name_its_own_reviewer(path: Path) -> None:
    answers = read_fields(
        path,
        {"id": "a", "label": "sport", "reviewer": "bob"},
        {"id": "a", "label": "world", "reviewer": None},
    )

    assert [(d.reviewer, d.value) for d in answers.decisions] == [
        ("bob", value_of("sport")),
        ("ada", value_of("world")),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": "x", "label": "sports"}, "'sports' is not a label. Did you mean: sport? Labels: "),
        ({"id": "", "label": "sport"}, "the id is missing"),
        ({"id": "  ", "label": "sport"}, "the id is missing"),
        ({"id": "x", "action": "skp"}, "action 'skp' is unknown. Did you mean: skip? Allowed: "),
        ({"id": "x", "action": "label"}, "action is 'label' but the label is empty"),
        ({"id": "x", "action": "skip", "label": "sport"}, "action is 'skip' but label is 'sport'"),
        ({"id": "x", "label": "sport", "seconds": "fast"}, "seconds is 'fast'; it must be a"),
        ({"id": "x", "label": "sport", "seconds": "True"}, "seconds is 'True'"),
        ({"id": "x", "label": "sport", "batch": "one"}, "batch is 'one'"),
        ({"id": "x", "label": "sport", "batch": "9" * 5000}, "batch is '999"),
        ({"id": "x", "label": "sport", "rank": "-1"}, "rank is '-1'"),
        (
            {"id": "x", "label": "sport", "source": "machine", "given_by": "fused proposal"},
            "the row comes from a release, and no person gave its label (source: 'machine'",
        ),
        (
            {"id": "x", "label": "sport", "source": "inherited", "given_by": "ann"},
            "the row comes from a release, and no person gave its label (source: 'inherited'",
        ),
        ({"id": "x", "label": "sport", "probability": "0.9"}, "the row has a `probability`"),
    ],
)
def test_a_line_that_does_not_fit_is_rejected_and_the_rest_is_kept(
    path: Path, fields: dict[str, object], reason: str
) -> None:
    answers = read_fields(
        path, {"id": "a", "label": "sport"}, fields, {"id": "b", "label": "world"}
    )

    assert [decision.item_id for decision in answers.decisions] == ["a", "b"]
    assert [rejection.line for rejection in answers.rejections] == [
        2 if path.suffix == ".jsonl" else 3
    ]
    assert answers.rejections[0].reason.startswith(reason)


@pytest.mark.parametrize("cells", [{"proposal": "world"}, {"proposal": ""}, {"blind": True}, {}])
def test_what_was_accepted_is_not_for_the_file_to_say(path: Path, cells: dict[str, object]) -> None:
    answers = read_fields(path, {"id": "a", "action": "accept", **cells})

    assert [line.accepts for line in answers.lines] == [True]
    assert (answers.decisions[0].action, answers.decisions[0].value) == ("label", ())


@pytest.mark.parametrize("written", ["SPORT", " Sport ", "sport"])
def test_a_label_may_be_spelt_otherwise(path: Path, written: str) -> None:
    assert read_fields(path, {"id": "a", "label": written}).decisions[0].value == value_of("sport")


@pytest.mark.parametrize(("written", "seconds"), [("5,0", 5.0), ("4.5", 4.5), ("1.0", 1.0)])
def test_numbers_are_read_as_a_spreadsheet_writes_them(
    path: Path, written: str, seconds: float
) -> None:
    line = {"batch": "1.0", "rank": "2,0", "id": "a", "label": "sport", "seconds": written}

    (answered,) = read_fields(path, line).lines

    assert (answered.decision.batch, answered.rank) == (1, 2)
    assert answered.decision.seconds == seconds


def test_the_people_of_a_release_keep_their_names(path: Path) -> None:
    row = {"id": "a", "label": "sport", "source": "person", "given_by": "ann, bob, resolved:skill"}

    answers = read_fields(path, row, {"id": "b", "label": "", "source": "none", "given_by": ""})

    assert [(d.item_id, d.reviewer) for d in answers.decisions] == [("a", "ann"), ("a", "bob")]
    assert answers.unanswered == 1


def test_a_line_that_is_not_json_is_rejected(tmp_path: Path) -> None:
    answers = read(
        tmp_path / "a.jsonl", '\n{"id": "a", "label":\n[1]\n{"id": 7, "label": "sport"}\n'
    )

    assert [rejection.line for rejection in answers.rejections] == [2, 3]
    assert answers.rejections[0].reason.startswith("not valid JSON: ")
    assert answers.rejections[1].reason == "[1] is not a JSON object."
    assert answers.decisions[0].item_id == "7"


def test_a_csv_saved_by_excel_is_read(tmp_path: Path) -> None:
    content = (
        "\ufeffbatch;rank;id;text;label;action;seconds\r\n"
        '1;0;é1;"two\nlines";sport;;\r\n1;1;b;x;;SKIP;2.5\r\n;;;;;;\r\n1;2;c;x\r\n'
    )

    answers = read(tmp_path / "a.csv", content)

    assert [(d.item_id, d.action, d.line) for d in answers.decisions] == [
        ("é1", "label", 2),
        ("b", "skip", 4),
    ]
    assert answers.unanswered == 1
    assert answers.rejections == ()


def test_windows_bytes_are_refused_with_their_line(path: Path) -> None:
    with pytest.raises(
        DataError, match=r"line 3: byte 0xe9 .*is not UTF-8; save the file as UTF-8"
    ):
        read(path, b"id,label\na,sport\ncaf\xe9,sport\n")


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        exchange(path.suffix[1:]).read(path, TASK, "ada")


@pytest.mark.parametrize(
    ("content", "listed"),
    [("id,text\na,b\n", "'id', 'text'"), ("label\nx\n", "'lab")],
)
def test_a_csv_without_id_or_answers_is_refused(tmp_path: Path, content: str, listed: str) -> None:
    with pytest.raises(DataError, match=f"must name `id`, or `text`, and `label` or .*{listed}"):
        read(tmp_path / "a.csv", content)


def test_a_csv_with_two_columns_of_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'label' occurs twice"):
        read(tmp_path / "a.csv", "id,label,label\na,sport,world\n")


def test_a_row_with_too_many_cells_is_rejected(tmp_path: Path) -> None:
    answers = read(tmp_path / "a.csv", "id,label,\na,sport,,\nb,sport,,x\n")

    assert [decision.item_id for decision in answers.decisions] == ["a"]
    assert [(r.line, r.reason) for r in answers.rejections] == [
        (
            3,
            "the row has 4 fields, but the header names 3 columns; put fields that hold ','"
            " in double quotes.",
        )
    ]


def test_a_quote_that_is_never_closed_is_rejected_where_it_opens(tmp_path: Path) -> None:
    answers = read(tmp_path / "a.csv", 'id,label,comment\na,sport,\nb,sport,"x\nc,sport,\n')

    assert [decision.item_id for decision in answers.decisions] == ["a"]
    assert [rejection.line for rejection in answers.rejections] == [3]
