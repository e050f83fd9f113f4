"""The student on files as they come: with gaps, repeated ids and columns of their own."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hilt
from hilt.errors import DataError
from hilt.pipeline.releasing.loaded import LoadedStudent
from hilt.pipeline.releasing.predict import PredictResult, predict
from tests.conftest import LABELS

ANIMAL, FOOD = "The goat ate grass on the hill.", "A spicy bean stew with rice."


@pytest.fixture(scope="module")
def student(stages: dict[str, Path]) -> LoadedStudent:
    return hilt.load_student(stages["two_cycles"])


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_without_a_text_keep_their_place_and_are_counted(
    student: LoadedStudent, tmp_path: Path
) -> None:
    texts = [ANIMAL, None, "  ", "", FOOD]
    rows = "".join(json.dumps({"id": 7, "text": text}) + "\n" for text in texts)
    (tmp_path / "new.jsonl").write_text(rows + '{"id": 8}\n')

    result = predict(student, tmp_path / "new.jsonl", tmp_path / "p.csv", id="id")
    told = written(tmp_path / "p.csv")

    assert (result.items, result.unlabelled) == (6, 4)
    assert result.label_counts == {"animals": 1, "food": 1}
    assert [row["label"] for row in told] == ["animals", "", "", "", "food", ""]
    assert [bool(row["probability"]) for row in told] == [True, False, False, False, True, False]
    assert [row["id"] for row in told] == ["7"] * 5 + ["8"]


def test_columns_keep_their_order_and_those_called_as_new_ones_get_another_name(
    student: LoadedStudent, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(
        f'Probability,Text ,label,INPUT_label,n\n0.5,{ANIMAL},old,"a, b",1\n'
    )

    result = predict(student, tmp_path / "new.csv", tmp_path / "p.csv")
    (row,) = written(tmp_path / "p.csv")

    assert result.renamed == {"Probability": "input_Probability", "label": "input_label.2"}
    assert list(row) == [
        "input_Probability", "Text ", "input_label.2", "INPUT_label", "n", "label", "probability",
    ]  # fmt: skip
    assert (row["input_label.2"], row["label"], row["INPUT_label"]) == ("old", "animals", "a, b")


def test_parquet_keeps_its_types(student: LoadedStudent, tmp_path: Path) -> None:
    table = pa.table({"n": [1, None], "tags": [["x"], []], "text": [ANIMAL, None]})
    pq.write_table(table, tmp_path / "new.parquet")

    predict(student, tmp_path / "new.parquet", tmp_path / "p.parquet", all_probabilities=True)
    predict(student, tmp_path / "new.parquet", tmp_path / "p.csv")
    told = pq.read_table(tmp_path / "p.parquet")

    assert told.select(["n", "tags", "text"]).equals(table)
    assert told.column("label").to_pylist() == ["animals", None]
    assert [row["tags"] for row in written(tmp_path / "p.csv")] == ['["x"]', "[]"]


def test_all_probabilities_are_written_and_sum_to_one(
    student: LoadedStudent, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(f"text\n{ANIMAL}\n{FOOD}\n")

    predict(student, tmp_path / "new.csv", tmp_path / "p.csv", all_probabilities=True)

    for row in written(tmp_path / "p.csv"):
        each = {label: float(row[f"probability_{label}"]) for label in LABELS}
        assert sum(each.values()) == pytest.approx(1, abs=1e-5)
        assert each[row["label"]] == max(each.values()) == float(row["probability"])


@pytest.mark.parametrize(
    ("name", "content"), [("new.csv", "id,text\n"), ("new.jsonl", ""), ("new.json", "[]")]
)
def test_no_rows_in_are_no_rows_out(
    student: LoadedStudent, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)

    result = predict(student, tmp_path / name, tmp_path / "p.csv")

    assert result == PredictResult(tmp_path / "p.csv", 0, {})
    assert written(tmp_path / "p.csv") == []
    assert (tmp_path / "p.csv").read_text().endswith('"text","label","probability"\n')


def test_an_encoding_can_be_named(student: LoadedStudent, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_bytes("text\nDas Café öffnet.\n".encode("cp1252"))

    with pytest.raises(DataError, match="line 2: byte 0xe9"):
        predict(student, tmp_path / "new.csv", tmp_path / "p.csv")
    predict(student, tmp_path / "new.csv", tmp_path / "p.csv", encoding="cp1252")

    assert written(tmp_path / "p.csv")[0]["text"] == "Das Café öffnet."


@pytest.mark.parametrize("column", [{"text": "body"}, {"id": "body"}])
def test_a_column_that_is_not_there_is_refused_and_nothing_is_written(
    student: LoadedStudent, tmp_path: Path, column: dict[str, Any]
) -> None:
    (tmp_path / "new.csv").write_text("id,text\n1,x\n")

    with pytest.raises(DataError, match=r"there is no column 'body', which `--(text|id)` names"):
        predict(student, tmp_path / "new.csv", tmp_path / "p.csv", **column)

    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
