import csv
import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilt.errors import ConfigError, DataError
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.source import open_source


def source(path: Path, content: str | bytes, **columns: Any) -> Source:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source(path=str(path), **columns)


def rows(source: Source) -> dict[str, list[str]]:
    tables = list(open_source(source).batches())
    return {
        name: [value for table in tables for value in table.column(name).to_pylist()]
        for name in tables[0].column_names
    }


def complaint(source: Source) -> str:
    with pytest.raises(DataError) as caught:
        for _ in open_source(source).batches():
            pass
    return str(caught.value)


def test_a_csv_is_read_as_text_whatever_it_looks_like(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", "id,text\n007,NA\n1e5,null\n-0,\n3,None\n", id="id")

    assert rows(given) == {"id": ["007", "1e5", "-0", "3"], "text": ["NA", "null", "", "None"]}


def test_quoted_line_breaks_and_quotes_are_part_of_the_text(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", 'text\n"one\ntwo"\n"say ""hi"""\n5" pipe\n')

    assert rows(given)["text"] == ["one\ntwo", 'say "hi"', '5" pipe']


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    assert rows(source(tmp_path / "a.csv", "\ufefftext\r\nhello\r\n"))["text"] == ["hello"]


def test_a_csv_from_a_european_spreadsheet_has_semicolons(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", "id;text\r\n1;a, b\r\n", id="id")

    assert rows(given) == {"id": ["1"], "text": ["a, b"]}
    assert open_source(given).place(0).endswith("a.csv, line 2")


def test_a_tsv_is_split_at_tabs(tmp_path: Path) -> None:
    assert rows(source(tmp_path / "a.tsv", "text\tn\na, b\t1\n"))["text"] == ["a, b"]


def test_a_gzipped_csv_is_unpacked(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv.gz", gzip.compress(b"text\nhello\n"))

    assert rows(given)["text"] == ["hello"]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz"])
@pytest.mark.parametrize("kept", [5, 100, 60_000])
def test_a_truncated_gzip_is_refused(tmp_path: Path, name: str, kept: int) -> None:
    numbers = [f'{{"text": "{number}"}}\n' for number in range(90_000)]
    packed = gzip.compress(("text\n" * name.startswith("a.csv") + "".join(numbers)).encode())

    assert f"{name} cannot be read" in complaint(source(tmp_path / name, packed[:kept]))


def test_another_encoding_is_decoded(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", "text\ncafé\n".encode("cp1252"), encoding="cp1252")

    assert rows(given)["text"] == ["café"]


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", "text\nx\n", encoding="utf-9")

    with pytest.raises(ConfigError, match=r"`encoding` is 'utf-9', which is unknown"):
        list(open_source(given).batches())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_survives_csv_and_json_and_its_line_is_known(
    tmp_path: Path, texts: list[str]
) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["id", "text"], *enumerate(texts)])
    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
    (tmp_path / "a.jsonl").write_bytes("".join(lines).encode())
    table = Source(path=str(tmp_path / "a.csv"), id="id")
    last = len(texts) - 1
    content = (tmp_path / "a.csv").read_bytes().decode()
    before = content[: content.rindex(f'"{last}","')] if last else '"id","text"\r\n'
    line = len(before.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    assert rows(table)["text"] == texts
    assert open_source(table).place(last).endswith(f"a.csv, line {line}")
    assert rows(Source(path=str(tmp_path / "a.jsonl")))["text"] == texts


def test_the_line_of_a_row_counts_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    given = source(tmp_path / "a.csv", 'text\n"a\nb\nc"\n\nd\r\n"e\r\nf"\ng\n')

    places = [open_source(given).place(row) for row in range(4)]

    assert [place.rsplit(" ", 1)[1] for place in places] == ["2", "6", "7", "9"]


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    source(tmp_path / "tickets.csv", "text\nx\n")

    with pytest.raises(DataError, match=r"no such file or folder. Did you mean: tickets.csv\?"):
        open_source(Source(path=str(tmp_path / "ticket.csv")))


def test_an_unknown_ending_is_refused_with_those_allowed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"this kind of file cannot be read. Allowed: .csv, .tsv, "):
        open_source(source(tmp_path / "a.doc", b"\xec\xa5\0\1\2"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "id,txt\n1,x\n"), ("a.tsv", "id\ttxt\n1\tx\n"), ("a.jsonl", '{"id":1,"txt":"x"}\n')],
)
def test_a_missing_column_is_refused_with_those_present(
    tmp_path: Path, name: str, content: str
) -> None:
    said = complaint(source(tmp_path / name, content))

    assert "there is no column 'text', which `text` names. Did you mean: txt?" in said
    assert "Columns: 'id', 'txt'." in said


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert "'text' occurs twice" in complaint(source(tmp_path / "a.csv", "text,text\na,b\n"))


def test_an_empty_csv_is_refused(tmp_path: Path) -> None:
    assert "a.csv is empty; the first line" in complaint(source(tmp_path / "a.csv", ""))


def test_a_row_with_too_many_fields_is_refused_with_its_line(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.csv", 'id,text\n1,"a\nb"\n2,c,d\n'))

    assert "a.csv, line 4: the row has 3 fields, but the header names 2 columns" in said


def test_a_row_with_too_few_fields_is_refused_with_its_line(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.csv", "id,text\n1,a\n\n2\n"))

    assert "a.csv, line 4: the row has 1 field," in said


def test_a_quote_that_is_never_closed_is_refused_with_its_line(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.csv", 'id,text\n1,a\n2,"b\n3,c\n4,d\n'))

    assert "a.csv, line 3: the row that begins here opens a quote that is never closed" in said


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_byte_that_does_not_decode_is_refused_with_line_and_byte(
    tmp_path: Path, name: str
) -> None:
    first = {"a.csv": b"text\n", "a.jsonl": b'{"text": "x"}\n'}[name]
    bad = {"a.csv": b'"a\nb"\ncaf\xe9\n', "a.jsonl": b'{"text": "x"}\n\n{"text": "\xe9"}\n'}[name]

    said = complaint(source(tmp_path / name, first + bad))

    assert f"{name}, line 4: byte 0xe9 (at offset {(first + bad).index(0xE9)}) is not UTF-8" in said


def test_a_row_that_is_longer_than_a_block_is_read_too(tmp_path: Path) -> None:
    text = "x" * (9 << 20)
    given = source(tmp_path / "a.csv", f"text\nfirst\n{text}\nlast\n")

    assert rows(given)["text"] == ["first", text, "last"]


def test_a_bad_byte_far_into_a_file_is_found(tmp_path: Path) -> None:
    content = b"text\n" + "zwölf\n".encode() * 400_000 + b"\xff\n"

    said = complaint(source(tmp_path / "a.csv", content))

    assert f"line 400002: byte 0xff (at offset {len(content) - 2})" in said


def test_a_line_that_is_not_json_is_refused(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.jsonl", '{"text": "x"}\n\n{"text": \n'))

    assert "a.jsonl, line 3: not valid JSON: " in said


def test_a_line_that_is_not_an_object_is_refused(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.jsonl", '{"text": "x"}\n["text"]\n'))

    assert """line 2: ["text"] is not a JSON object""" in said


@pytest.mark.parametrize("value", ["3", "1.5", "true", '["x"]', '{"a": "x"}'])
def test_a_json_text_that_is_not_a_string_is_refused(tmp_path: Path, value: str) -> None:
    said = complaint(source(tmp_path / "a.jsonl", f'{{"text": "x"}}\n{{"text": {value}}}\n'))

    assert f"a.jsonl, line 2: 'text' is {value}; it must be a string." in said


def test_a_later_line_without_a_text_is_refused(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.jsonl", '{"text": "x"}\n{"txt": "x"}\n'))

    assert "a.jsonl, line 2: there is no column 'text'" in said


def test_half_a_surrogate_pair_is_refused_with_its_line(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.jsonl", '{"text": "x"}\n{"text": "a\\ud83d"}\n'))

    assert "a.jsonl, line 2: 'a\\ud83d' holds half of a surrogate pair" in said


def test_json_ids_and_labels_may_be_numbers_and_labels_may_be_missing(tmp_path: Path) -> None:
    content = '{"text": "a", "id": 7, "y": 1}\n{"text": "b", "id": "07", "y": null}\n'
    given = source(tmp_path / "a.jsonl", content + '{"text": "c", "id": 9}\n', id="id", label="y")

    assert rows(given) == {
        "id": ["7", "07", "9"],
        "text": ["a", "b", "c"],
        "label": ["1", None, None],
    }


def test_parquet_is_read_with_numbers_as_ids(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(
        pa.table({"n": [1, 2], "text": pa.array(["a", "b"]).dictionary_encode()}),
        tmp_path / "a.parquet",
    )
    given = Source(path=str(tmp_path / "a.parquet"), id="n")

    assert rows(given) == {"id": ["1", "2"], "text": ["a", "b"]}
    assert open_source(given).place(1).endswith("a.parquet, row 2")


def test_a_parquet_text_that_is_a_number_is_refused(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"text": [1.5]}), tmp_path / "a.parquet")

    said = complaint(Source(path=str(tmp_path / "a.parquet")))

    assert "a.parquet: column 'text' is double; it must be text." in said


def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path: Path) -> None:
    said = complaint(source(tmp_path / "a.parquet", "text\nx\n"))

    assert "a.parquet cannot be read as Parquet" in said


def saved(folder: Path) -> Path:
    features = datasets.Features(
        {"text": datasets.Value("string"), "y": datasets.ClassLabel(names=["neg", "pos"])}
    )
    train = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "y": [1, 0, -1]}, features)
    test = datasets.Dataset.from_dict({"text": ["d"], "y": [0]}, features)
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(str(folder))
    train.select([2, 0]).save_to_disk(str(folder / "one"))
    train.to_parquet(str(folder / "a.parquet"))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("saved"))


def test_a_saved_folder_is_read_by_split_with_the_names_of_its_labels(folder: Path) -> None:
    train = rows(Source(path=str(folder), label="y"))
    test = rows(Source(path=str(folder), label="y", split="test"))

    assert train == {"text": ["a", "b", "c"], "label": ["pos", "neg", None]}
    assert test == {"text": ["d"], "label": ["neg"]}


def test_a_saved_folder_without_splits_keeps_its_order(folder: Path) -> None:
    assert rows(Source(path=str(folder / "one")))["text"] == ["c", "a"]


def test_parquet_written_by_datasets_keeps_the_names_of_its_labels(folder: Path) -> None:
    given = Source(path=str(folder / "a.parquet"), label="y")

    assert rows(given)["label"] == ["pos", "neg", None]


def test_an_unknown_split_is_refused_with_the_nearest(folder: Path) -> None:
    said = complaint(Source(path=str(folder), split="tests"))

    assert "there is no split 'tests'. Did you mean: test? Splits: train, test." in said


def test_a_folder_that_datasets_did_not_save_is_refused(tmp_path: Path) -> None:
    assert "was not made by `save_to_disk`" in complaint(Source(path=str(tmp_path)))


def test_a_hub_dataset_that_cannot_be_reached_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    said = complaint(Source(path="hub:nobody/nothing"))

    assert said.startswith("hub:nobody/nothing cannot be loaded from the hub: ")
    assert "\n" not in said
