"""One table, as every kind of file and as every program writes it, read by every command."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.building import build_pool
from hilt.pipeline.pools.pool import Pool
from hilt.reading.kept_columns import kept_columns
from hilt.reading.names import match_name
from hilt.reading.options import Options
from hilt.reading.table import open_table
from hilt.review.answers.label import LabelForm
from hilt.review.formats.answer_tables import lines_of
from hilt.tasks.single import Single
from hilt.values import value_of

TEXTS = ["late, again", 'she said "no"', "two\nlines", "häße ☃"]
ROWS = [
    {"id": 1, "text": TEXTS[0], "label": True, "price": 1.5},
    {"id": 2, "text": TEXTS[1], "label": False, "price": None},
    {"id": 3, "text": TEXTS[2], "label": None, "price": 2.0},
    {"id": 40, "text": TEXTS[3], "label": True, "price": 7.0},
]
FRAME = pd.DataFrame(ROWS)
# As pandas holds a column of whole numbers beside a gap.
FLOATS = FRAME.assign(id=FRAME["id"].astype(float))


def sheet(rows: list[dict[str, Any]] = ROWS, *, delimiter: str = ",", **options: Any) -> str:
    """What a program for spreadsheets saves."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, **options)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def spelt(change: Callable[[str], str], *names: str) -> list[dict[str, Any]]:
    return [{(change(k) if k in names else k): v for k, v in row.items()} for row in ROWS]


def shouted() -> list[dict[str, Any]]:
    return [row | {"label": str(row["label"]).upper()} for row in ROWS[:2]] + ROWS[2:]


def workbook(rows: list[dict[str, Any]] = ROWS) -> bytes:
    book = openpyxl.Workbook()
    for line in [list(rows[0]), *(list(row.values()) for row in rows)]:
        book.worksheets[0].append(line)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def parquet(table: pa.Table) -> bytes:
    saved = io.BytesIO()
    pyarrow.parquet.write_table(table, saved)
    return saved.getvalue()


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, "zstd", asbytes=True))


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


NESTED = [row | {"label": [row["label"]] if row["label"] is not None else []} for row in ROWS]
FILES: dict[str, tuple[str, bytes | str]] = {
    "csv": ("a.csv", sheet()),
    "csv by pandas": ("a.csv", FRAME.to_csv(index=False)),
    "csv by pandas, whole numbers": ("a.csv", FRAME.to_csv(index=False, quoting=csv.QUOTE_ALL)),
    "csv with capitals": ("a.csv", sheet(shouted())),
    "csv with a header in capitals": ("a.csv", sheet(spelt(str.upper, "id", "text", "label"))),
    "csv with spaces in its header": ("a.csv", sheet(spelt(" {} ".format, "id", "text"))),
    "csv with a mark": ("a.csv", b"\xef\xbb\xbf" + sheet().encode()),
    "csv with old line ends": ("a.csv", sheet().replace("\r\n", "\r")),
    "csv with semicolons": ("a.csv", sheet(delimiter=";")),
    "csv with bars": ("a.csv", sheet(delimiter="|")),
    "csv that names its delimiter": ("a.csv", "sep=;\r\n" + sheet(delimiter=";")),
    "csv with tabs, UTF-16": ("a.csv", sheet(delimiter="\t").encode("utf-16")),
    "csv in big-endian UTF-16": ("a.csv", b"\xfe\xff" + sheet().encode("utf-16-be")),
    "txt of a spreadsheet": ("a.txt", sheet(delimiter="\t").encode("utf-16")),
    "txt": ("a.txt", sheet()),
    "tsv": ("a.tsv", sheet(delimiter="\t")),
    "tsv by pandas": ("a.tsv", FRAME.to_csv(index=False, sep="\t")),
    "csv, gzip": ("a.csv.gz", gzip.compress(sheet().encode())),
    "csv, gzip, unsaid": ("a.csv", gzip.compress(sheet().encode())),
    "csv, not gzip": ("a.csv.gz", sheet()),
    "csv, zstd": ("a.csv.zst", zstd(sheet().encode())),
    "csv without an ending": ("sha256-0123", sheet()),
    "json lines": ("a.jsonl", lines(ROWS)),
    "json lines by pandas": ("a.jsonl", FRAME.to_json(orient="records", lines=True)),
    "json lines, whole numbers": ("a.jsonl", FLOATS.to_json(orient="records", lines=True)),
    "json lines, lists of labels": ("a.ndjson", lines(NESTED)),
    "json lines, gzip": ("a.jsonl.gz", gzip.compress(lines(ROWS).encode())),
    "json lines in UTF-16": ("a.jsonl", lines(ROWS).encode("utf-16")),
    "json lines without an ending": ("sha256-0123", lines(ROWS)),
    "json lines with gaps": (
        "a.jsonl", lines([{k: v for k, v in row.items() if v is not None} for row in ROWS])
    ),
    "json": ("a.json", json.dumps(ROWS)),
    "json by pandas": ("a.json", FRAME.to_json(orient="records", indent=1)),
    "json in a jsonl": ("a.jsonl", json.dumps(ROWS, indent=2)),
    "json, zstd": ("a.json.zst", zstd(json.dumps(ROWS).encode())),
    "json without an ending": ("sha256-0123", json.dumps(ROWS)),
    "parquet": ("a.parquet", parquet(pa.Table.from_pylist(ROWS))),
    "parquet by pandas": ("a.parquet", parquet(pa.Table.from_pandas(FLOATS))),
    "parquet, lists of labels": ("a.parquet", parquet(pa.Table.from_pylist(NESTED))),
    "parquet without an ending": ("sha256-0123", parquet(pa.Table.from_pylist(ROWS))),
    "xlsx": ("a.xlsx", workbook()),
    "xlsx without an ending": ("sha256-0123", workbook()),
    "xlsx with a header in capitals": ("a.xlsx", workbook(spelt(str.title, "id", "text"))),
}  # fmt: skip


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, content = FILES[request.param]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path / name


def test_init_reads_it(file: Path, tmp_path: Path) -> None:
    source = Source(path=str(file), id="id", label="label")
    task = Single(("true", "false"))
    build_pool(source, task, tmp_path / "pool")
    pool = Pool.open(tmp_path / "pool")

    assert pool.ids(slice(None)) == ["1", "2", "3", "40"]
    assert pool.texts(slice(None)) == TEXTS
    assert pool.known_answers(task) == {
        0: value_of("true"),
        1: value_of("false"),
        3: value_of("true"),
    }


def test_import_reads_it(file: Path) -> None:
    form = LabelForm(Single(("true", "false")))
    lines = lines_of(file, open_table(file, Options(wanted=("id",))), form)
    found = [line.fields for line in lines if not isinstance(line.fields, str)]

    assert [fields["id"] for fields in found] == ["1", "2", "3", "40"]
    assert [match_name(fields.get("label") or "", ["true", "false"]) for fields in found] == [
        "true", "false", None, "true",
    ]  # fmt: skip


def test_predict_reads_it_with_all_columns(file: Path) -> None:
    kept = kept_columns(open_table(file), {"text": "--text"}, ("label",))
    blocks = list(kept.blocks(size=3))

    assert [values for read, _ in blocks for values in read] == [(text,) for text in TEXTS]
    assert kept.count_rows() == 4
    (names,) = {tuple(rows.column_names) for _, rows in blocks}
    assert [name.strip().casefold() for name in names][1] == "text"
    assert "input_label" in {name.casefold() for name in names}
    assert "price" in names
    prices = [price for _, rows in blocks for price in rows.column("price").to_pylist()]
    assert [float(price) if price else None for price in prices] == [1.5, None, 2.0, 7.0]
