import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.errors import DataError, WorkspaceError
from hilt.media.text import normalise
from hilt.pipeline.configuration.source import Source, TestSource
from hilt.pipeline.pools.building import build_pool
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.pools.same_text import find_repeats, hash_texts
from hilt.tasks.base import Task
from hilt.tasks.single import Single
from hilt.values import in_words

TASK = Single(("sport", "world"))
POOL = """id,text,label
007,Hello,sport
b,"two
lines",world
c,"  hello ",
d,,world
e,NA,sport
f,  ,sport
"""


def write(folder: Path, content: str, name: str = "a.csv") -> str:
    (folder / name).write_bytes(content.encode())
    return str(folder / name)


def build(folder: Path, content: str, **columns: Any) -> Pool:
    build_pool(Source(path=write(folder, content), **columns), TASK, folder / "pool")
    return Pool.open(folder / "pool")


def known(pool: Pool, task: Task = TASK) -> dict[int, str]:
    return {index: in_words(value) for index, value in pool.known_answers(task).items()}


def complaint(folder: Path, source: Source, task: Single | None = TASK) -> str:
    before = sorted(folder.iterdir())
    with pytest.raises(DataError) as caught:
        build_pool(source, task, folder / "pool")
    assert sorted(folder.iterdir()) == before
    return str(caught.value)


def test_a_pool_answers_what_the_source_said(tmp_path: Path) -> None:
    pool = build(tmp_path, POOL, id="id", label="label")

    assert len(pool) == 6
    assert pool.ids(slice(None)) == ["007", "b", "c", "d", "e", "f"]
    assert pool.texts(slice(0, 3)) == ["Hello", "two\nlines", "  hello "]
    assert pool.texts(np.array([4, 0, 4])) == ["NA", "Hello", "NA"]
    assert pool.items([3]).ids == ["d"]
    assert pool.items(slice(0, 6, 5)).texts == ["Hello", "  "]
    assert pool.groups.tolist() == [0, 1, 0, 3, 4, 3]
    assert known(pool) == {0: "sport", 1: "world", 3: "world", 4: "sport", 5: "sport"}
    assert pool.index_of(["e", "007", "e"]).tolist() == [4, 0, 4]
    assert pool.texts([]) == []


def test_empty_texts_and_exact_duplicates_are_kept_and_counted(tmp_path: Path) -> None:
    summary = build(tmp_path, POOL, id="id", label="label").summary

    assert (summary.items, summary.empty_texts, summary.exact_duplicates) == (6, 2, 1)


def test_only_the_pool_is_left_behind(tmp_path: Path) -> None:
    build(tmp_path, POOL, id="id")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "pool"]


def test_what_a_kill_left_behind_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "pool.partial" / "pool").mkdir(parents=True)

    build(tmp_path, POOL, id="id")

    assert not (tmp_path / "pool.partial").exists()


def test_a_pool_is_never_written_over(tmp_path: Path) -> None:
    build(tmp_path, POOL, id="id")

    with pytest.raises(WorkspaceError, match="exists already"):
        build(tmp_path, POOL, id="id")


def test_without_an_id_column_ids_come_from_the_content(tmp_path: Path) -> None:
    pool = build(tmp_path, "text\na\nb\na\nA\na\n")
    a, b, capital = ("t" + hashlib.sha256(text.encode()).hexdigest()[:16] for text in "abA")

    assert pool.ids(slice(None)) == [a, b, f"{a}-2", capital, f"{a}-3"]
    assert pool.groups.tolist() == [0, 1, 0, 0, 0]


def test_the_fingerprint_depends_on_content_and_order_but_not_on_the_format(
    tmp_path: Path,
) -> None:
    lines = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]
    files = {
        "a.csv": "id,text\n1,a\n2,b\n",
        "b.csv": "id,text\n2,b\n1,a\n",
        "c.csv": "id,text\n1,ab\n2,\n",
        "a.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
    }
    a, b, c, json_a = (
        build_pool(
            Source(path=write(tmp_path, content, name), id="id"), None, tmp_path / f"pool-{name}"
        ).fingerprint
        for name, content in files.items()
    )

    assert a == json_a
    assert len({a, b, c}) == 3


def test_a_pool_of_many_chunks_is_read_in_any_order(tmp_path: Path) -> None:
    n = 5000
    pool = build(tmp_path, "id,text\n" + "".join(f"{i},text {i}\n" for i in range(n)), id="id")
    indices = np.random.default_rng(0).permutation(n)

    assert pool.ids(indices) == [str(index) for index in indices]
    assert pool.index_of(pool.ids(indices)).tolist() == indices.tolist()
    assert pool.texts(slice(998, 1002)) == [f"text {index}" for index in range(998, 1002)]


def test_an_id_that_is_not_in_the_pool_is_refused(tmp_path: Path) -> None:
    pool = build(tmp_path, POOL, id="id")

    with pytest.raises(DataError, match="No item of the pool has the id '7'"):
        pool.index_of(["007", "7"])


def test_an_index_outside_the_pool_is_refused(tmp_path: Path) -> None:
    pool = build(tmp_path, POOL, id="id")

    with pytest.raises(IndexError):
        pool.texts([-1])


def test_a_pool_without_labels_has_no_answer_key(tmp_path: Path) -> None:
    pool = build(tmp_path, POOL, id="id")

    assert not pool.has_answer_key
    assert known(pool) == {}


def test_a_folder_without_a_pool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"pool\.json is gone; run `hilt init"):
        Pool.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"items": 6, "emp', b"[]", b"{}", b"\xff", b"[" * 9999])
def test_a_torn_record_of_a_pool_is_a_plain_sentence(tmp_path: Path, content: bytes) -> None:
    build(tmp_path, POOL, id="id")
    record = tmp_path / "pool" / "pool.json"
    record.write_bytes(content)

    with pytest.raises(WorkspaceError) as caught:
        Pool.open(tmp_path / "pool")

    assert str(caught.value) == (
        f"{record} is damaged: its content is not what was written; run `hilt init {tmp_path}"
        f" --config {tmp_path / 'hilt.yaml'}`, which reads it again from its source."
    )


def test_a_label_may_be_anything_when_no_list_is_given(tmp_path: Path) -> None:
    build_pool(Source(path=write(tmp_path, POOL), label="label"), None, tmp_path / "pool")

    assert known(Pool.open(tmp_path / "pool"), Single(("world",))) == {1: "world", 3: "world"}


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "id,text\n"), ("a.csv", "text"), ("a.jsonl", "\n")]
)
def test_an_empty_pool_is_refused(tmp_path: Path, name: str, content: str) -> None:
    said = complaint(tmp_path, Source(path=write(tmp_path, content, name)))

    assert f"{name} contains no items" in said


def test_a_repeated_id_is_refused_with_both_lines(tmp_path: Path) -> None:
    content = 'id,text\n1,"a\nb"\n2,c\n1,d\n'

    said = complaint(tmp_path, Source(path=write(tmp_path, content), id="id"))

    assert "a.csv, line 5: the id '1' was already used in" in said
    assert "a.csv, line 2; ids must be unique" in said


def test_an_empty_id_is_refused_with_its_line(tmp_path: Path) -> None:
    said = complaint(tmp_path, Source(path=write(tmp_path, 'id,text\n1,"\n"\n" ",c\n'), id="id"))

    assert "a.csv, line 4: the id (column 'id') is empty." in said


def test_a_label_that_is_not_listed_is_refused_with_the_nearest(tmp_path: Path) -> None:
    content = 'text,label\na,world\n"b\nc",sports\n'

    said = complaint(tmp_path, Source(path=write(tmp_path, content), label="label"))

    assert "a.csv, line 3: 'sports' is not a label. Did you mean: sport?" in said
    assert "Labels: sport, world." in said


def test_an_unlisted_label_in_json_is_refused_with_its_line(tmp_path: Path) -> None:
    content = '\n{"text": "a", "label": "word"}\n'

    said = complaint(tmp_path, Source(path=write(tmp_path, content, "a.jsonl"), label="label"))

    assert "a.jsonl, line 2: 'word' is not a label. Did you mean: world?" in said


def test_an_empty_label_is_refused_in_a_test_file(tmp_path: Path) -> None:
    said = complaint(tmp_path, TestSource(path=write(tmp_path, "text,label\na,world\nb,\n")))

    assert "a.csv, line 3: the label (column 'label') is empty, but `test` needs every" in said


def test_a_missing_text_in_parquet_is_refused_with_its_row(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"text": ["a", None]}), tmp_path / "a.parquet")

    said = complaint(tmp_path, Source(path=str(tmp_path / "a.parquet")))

    assert "a.parquet, row 2: the text is missing (null)." in said


def test_a_row_that_breaks_late_leaves_nothing_behind(tmp_path: Path) -> None:
    content = "text\n" + "a\n" * 50_000 + "b,c\n"

    said = complaint(tmp_path, Source(path=write(tmp_path, content)))

    assert "a.csv, line 50002: the row has 2 fields" in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello", "  hello "),
        ("\uff46\uff55ll width", "full\u00a0\n WIDTH"),
        ("Straße", "STRASSE"),
        ("…", "..."),
    ],
)
def test_spellings_of_the_same_text_normalise_alike(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"), [("C", "C++"), ("fired :(", "fired :)"), ("?", "!"), ("", "!"), ("a b", "ab")]
)
def test_texts_that_differ_do_not_normalise_alike(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.lists(st.sampled_from("abc")))
def test_repeats_are_those_that_a_dictionary_would_find(texts: list[str]) -> None:
    first, before = find_repeats(hash_texts(texts))

    assert first.tolist() == [texts.index(text) for text in texts]
    assert before.tolist() == [texts[:place].count(text) for place, text in enumerate(texts)]
