"""Whatever a file holds, rows come out of it or one sentence."""

import gzip
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilt.errors import ConfigError, DataError, HiltError, MissingExtraError
from hilt.reading.delimited import Delimited
from hilt.reading.dialects import Quoting
from hilt.reading.options import Options
from hilt.reading.rows import Column
from hilt.reading.table import ENDINGS, open_table

TEXT = [Column("text", "text", "text")]


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, options: Options | None = None) -> list[str]:
    table = open_table(path, options or Options(wanted=("text",)))
    return [text for batch in table.batches(TEXT) for text in batch.column("text").to_pylist()]


def complaint(path: Path, options: Options | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read(path, options)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 1500
    return said


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = ["id", "text", "label", "a", "é", " ", "1.0", "\0", "\n", "\r\n", "\r", "sep=;\n"]
MARKS = [",", ";", "\t", "|", '"', '""', "{", "}", "[", "]", ":", "null", "\\ud800"]
PIECES = st.sampled_from([*WORDS, *MARKS, '{"text": "x"}', '"text"'])
MAGIC = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1", b"BZh", b"\x80abc"]
BYTE_ORDER = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]
STARTS = st.sampled_from([b"", *MAGIC, *BYTE_ORDER, b"id,text\n", b'{"text": "x"}\n', b"[{"])
USES: list[Callable[[Path, Options], object]] = [
    read,
    lambda path, options: list(open_table(path, options).rows()),
    lambda path, options: open_table(path, options).names,
]


NO_OPTIONS = Options()


def sentence(
    use: Callable[[Path, Options], object], path: Path, options: Options = NO_OPTIONS
) -> str:
    """What hilt says of a file, or nothing when it can be read."""
    try:
        use(path, options)
    except HiltError as error:
        return str(error)
    return ""


@FUZZ
@given(
    start=STARTS,
    pieces=st.lists(PIECES, max_size=30),
    codec=st.sampled_from(["utf-8", "utf-16", "latin-1"]),
    junk=st.binary(max_size=8),
    ending=st.sampled_from([*ENDINGS, "", ".csv.gz"]),
    encoding=st.sampled_from([None, "utf-8", "utf-16", "utf-16-le", "cp1252", "utf-7", "cp500"]),
    quoting=st.sampled_from(["auto", "fields", "none"]),
    packed=st.booleans(),
)
def test_any_bytes_give_rows_or_an_error_of_hilt(
    tmp_path: Path,
    start: bytes,
    pieces: list[str],
    codec: str,
    junk: bytes,
    ending: str,
    encoding: str | None,
    quoting: Quoting,
    packed: bool,
) -> None:
    content = start + "".join(pieces).encode(codec) + junk
    path = write(tmp_path / f"a{ending}", gzip.compress(content) if packed else content)
    options = Options(encoding=encoding, quoting=quoting, wanted=("text",))
    told = [sentence(use, path, options) for use in USES]
    assert not [said for said in told if "\n" in said]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    table = pa.table({"text": [f"text {n}" for n in range(50)], "label": [["a"]] * 50})
    pyarrow.parquet.write_table(table, folder / "a.parquet")
    book = openpyxl.Workbook()
    for text in ("text", "first", "second"):
        book.worksheets[0].append([text])
    book.save(folder / "a.xlsx")
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"text\n" + b"a line\n" * 50))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(FUZZ, max_examples=60)
@given(
    name=st.sampled_from(["a.parquet", "a.xlsx", "a.csv.gz"]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=6),
    cut=st.booleans(),
)
def test_damage_anywhere_gives_rows_or_an_error_of_hilt(
    tmp_path: Path, sound: dict[str, bytes], name: str, place: float, junk: bytes, cut: bool
) -> None:
    content = sound[name]
    at = int(place * len(content))
    damaged = content[:at] + junk + (b"" if cut else content[at + len(junk) :])
    path = write(tmp_path / name, damaged)

    assert not [said for use in USES if "\n" in (said := sentence(use, path))]


@FUZZ
@given(
    pieces=st.lists(
        st.sampled_from(["a", "b", " ", "é", ",", ",", "\n", "\n", "\r\n", '"', '"', '""', ";"]),
        max_size=40,
    )
)
def test_the_fast_way_and_the_slow_way_read_the_same(tmp_path: Path, pieces: list[str]) -> None:
    path = write(tmp_path / "a.csv", "id,text\n" + "".join(pieces))
    table = open_table(path, Options(wanted=("id", "text")))
    assert isinstance(table, Delimited)

    try:
        fast = [text for batch in table.batches(TEXT) for text in batch["text"].to_pylist()]
    except DataError:
        return

    assert fast == [row.fields["text"] for row in table.rows() if not isinstance(row.fields, str)]


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "text\nx\n")


def make_cut_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.save(path)
    path.write_bytes(path.read_bytes()[:-200])


def make_bad_parquet(path: Path) -> None:
    texts = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.array([0, 1, 3], pa.int32()).buffers()[1], pa.py_buffer(b"a\xe9b")],
    )
    pyarrow.parquet.write_table(pa.table({"text": texts}), path)


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (make_fifo, "is a pipe; give a plain file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is a device; give a plain file"),
    "a loop": (make_loop, "its symbolic links form a circle"),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "there is no such file"),
    "a folder": (lambda path: path.mkdir(), "is a folder, but was not made by `save_to_disk`"),
    "a zip": (make_zip, "is a zip archive; unpack it first"),
    "a cut workbook": (make_cut_workbook, "but damaged"),
    "bad bytes in Parquet": (make_bad_parquet, "row 2: column 'text' holds the byte 0xe9"),
    "an old workbook": (
        lambda path: write(path, b"\xd0\xcf\x11\xe0"),
        "save it as .xlsx or as CSV",
    ),
    "bytes": (lambda path: write(path, b"\1\0\2\0\3\xff" * 9), "Allowed: .csv, .tsv, "),
}


@pytest.mark.parametrize("what", MADE)
def test_what_is_no_table_is_refused_by_its_name(tmp_path: Path, what: str) -> None:
    make, said = MADE[what]
    make(tmp_path / "a")

    assert said in complaint(tmp_path / "a")


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "file/a.csv", "n" * 300])
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, path: str) -> None:
    write(tmp_path / "file", "")

    complaint(tmp_path / path)


@pytest.mark.parametrize(
    "encoding", ["rot13", "base64", "zlib", "idna", "undefined", "punycode", "utf-9", "x\0y", ""]
)
def test_what_encodes_no_text_is_refused(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "text\nx\n")

    with pytest.raises(ConfigError, match="`encoding` is "):
        read(path, Options(encoding=encoding or "no such encoding"))


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n"])
def test_what_cannot_separate_fields_is_refused(delimiter: str) -> None:
    with pytest.raises(ConfigError, match="it must be one character"):
        Options(delimiter=delimiter)


@pytest.mark.parametrize("depth", [500, 5_000, 200_000])
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_json_nested_deeply_is_read_or_refused(tmp_path: Path, ending: str, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    inside = f'{{"text": "x", "deep": {deep}}}'
    path = write(tmp_path / f"a{ending}", f"[{inside}]" if ending == ".json" else inside)

    told = {sentence(use, path).rpartition(" it ")[2] for use in USES}
    assert told <= {"", "is nested too deeply."}


@pytest.mark.parametrize("name", ["*.arrow", "state.json", "dataset_info.json"])
@pytest.mark.parametrize("split", [False, True])
def test_a_pipe_in_a_saved_dataset_is_refused(tmp_path: Path, name: str, split: bool) -> None:
    made = datasets.Dataset.from_dict({"text": ["x"]})
    saved = datasets.DatasetDict({"train": made}) if split else made
    saved.save_to_disk(str(tmp_path / "saved"))
    (file,) = (tmp_path / "saved" / "train" if split else tmp_path / "saved").glob(name)
    file.unlink()
    os.mkfifo(file)

    with pytest.raises(DataError, match=r"a pipe, not a part|was not made by `save_to_disk`"):
        read(tmp_path / "saved")


def test_a_path_with_a_line_break_is_told_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"po\\nol.csv: there is no such file") as caught:
        read(tmp_path / "po\nol.csv")

    assert "\n" not in str(caught.value)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x"}\n{"text": "a", "text": "b"}\n')

    assert "line 2: not valid JSON: the key 'text' occurs twice" in complaint(path)


def test_an_array_is_read_in_pieces_and_its_mistake_has_a_number(tmp_path: Path) -> None:
    rows = [{"text": f"{number} " + "x" * 3000} for number in range(1000)]
    good = write(tmp_path / "a.json", json.dumps(rows))
    cut = write(tmp_path / "b.json", json.dumps(rows)[:-5000])

    assert read(good) == [row["text"] for row in rows]
    assert "b.json, record 999: not valid JSON" in complaint(cut)


def test_an_object_over_several_lines_is_explained(tmp_path: Path) -> None:
    assert "one object a line" in complaint(write(tmp_path / "a.json", '{\n "text": "x"\n}\n'))


def test_utf_16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text\nhello\n".encode("utf-16-be"))

    assert "set `encoding` to utf-16-be" in complaint(path)
    assert read(path, Options(encoding="utf-16-be")) == ["hello"]


def test_a_workbook_without_what_reads_it_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(MissingExtraError, match=r"`pip install 'openpyxl>=3.1'`; or save"):
        read(tmp_path / "a.xlsx")


def test_values_of_megabytes_make_short_sentences(tmp_path: Path) -> None:
    long = "x" * 2_000_000
    header = write(tmp_path / "a.csv", f"{long},id\na,b\n")
    line = write(tmp_path / "a.jsonl", '{"text": "x"}\n' + f'["{long}"]\n')
    value = write(tmp_path / "b.jsonl", '{"text": ["' + long + '"]}\n')

    for path in (header, line, value):
        complaint(path)
    with pytest.raises(DataError) as caught:
        open_table(write(tmp_path / "c.csv", "id\n1\n")).find(long, "text")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst", ".jsonl", ".xlsx"])
def test_a_name_that_is_not_utf_8_is_read_all_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / (os.fsdecode(b"\xff") + ending)
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["x"])
    book.save(tmp_path / "a.xlsx")
    path.write_bytes(
        {
            ".csv": b"text\nx\n",
            ".csv.gz": gzip.compress(b"text\nx\n"),
            ".csv.zst": pa.compress(b"text\nx\n", "zstd", asbytes=True),
            ".jsonl": b'{"text": "x"}\n',
            ".xlsx": (tmp_path / "a.xlsx").read_bytes(),
        }[ending]
    )

    assert read(path) == ["x"]
