"""Rows that were added to a source: which are new, which are known, and what is refused."""

import shutil
from pathlib import Path

import pytest

from hilt.errors import ConfigError, DataError
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.appending import Comparison, append, compare
from hilt.pipeline.pools.building import build_pool
from hilt.pipeline.pools.pool import Pool
from hilt.tasks.single import Single

TASK = Single(("sport", "world"))
ROWS = [("7", "a goal", "sport"), ("3", "a vote", "world"), ("9", "A  Goal", "")]
MORE = [("1", "a war", "world"), ("2", "a VOTE", ""), ("4", " ", ""), ("5", "A WAR", "world")]


def source(folder: Path, rows: list[tuple[str, str, str]], columns: str) -> Source:
    """Write rows, and name the columns of which the initials are given."""
    header = [name for name in ("id", "text", "label") if name[0] in columns]
    places = [("id", "text", "label").index(name) for name in header]
    lines = [",".join(header), *(",".join(f'"{row[p]}"' for p in places) for row in rows)]
    (folder / "pool.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    named = {name: name if name in header else None for name in ("id", "label")}
    return Source(path=str(folder / "pool.csv"), **named)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("columns", ["itl", "it", "tl", "t"])
@pytest.mark.parametrize("order", ["after", "before", "alone"])
def test_a_pool_that_grew_is_the_pool_that_is_read_at_once(
    tmp_path: Path, columns: str, order: str
) -> None:
    build_pool(source(tmp_path, ROWS, columns), TASK, tmp_path / "pool")
    rows = {"after": ROWS + MORE, "before": MORE + ROWS, "alone": MORE}[order]
    grown = source(tmp_path, rows, columns)

    found = append(Pool.open(tmp_path / "pool"), grown, TASK, tmp_path / "scratch")

    build_pool(source(tmp_path, ROWS + MORE, columns), TASK, tmp_path / "whole")
    pool, whole = Pool.open(tmp_path / "pool"), Pool.open(tmp_path / "whole")
    assert found == Comparison(new=4, gone=3 if order == "alone" else 0)
    assert pool.columns(slice(None)) == whole.columns(slice(None))
    assert pool.columns([5, 0, 6]) == whole.columns([5, 0, 6])
    assert pool.groups.tolist() == whole.groups.tolist() == [0, 1, 0, 3, 1, 5, 3]
    assert pool.fingerprint == whole.fingerprint
    assert pool.empty.tolist() == [5]
    assert pool.summary.exact_duplicates == whole.summary.exact_duplicates == 3
    assert len(pool.fingerprints) == 2
    assert not (tmp_path / "scratch").exists()


def test_a_pool_may_grow_again_and_again(tmp_path: Path) -> None:
    rows = [(str(n), f"text {n % 5}", "") for n in range(40)]
    build_pool(source(tmp_path, rows[:10], "it"), TASK, tmp_path / "pool")

    for stop in (17, 18, 40):
        more = source(tmp_path, rows[:stop], "it")
        append(Pool.open(tmp_path / "pool"), more, TASK, tmp_path / "scratch")

    pool = Pool.open(tmp_path / "pool")
    assert pool.ids(slice(None)) == [row[0] for row in rows]
    assert [each.items for each in pool.summary.earlier] == [10, 17, 18]
    assert pool.groups.tolist() == [n % 5 for n in range(40)]


def test_made_ids_count_the_copies_of_a_text(tmp_path: Path) -> None:
    rows = [("", "hello", ""), ("", "hello", "")]
    build_pool(source(tmp_path, rows, "t"), TASK, tmp_path / "pool")

    again = append(
        Pool.open(tmp_path / "pool"), source(tmp_path, rows, "t"), TASK, tmp_path / "scratch"
    )
    more = source(tmp_path, [*rows, ("", "bye", ""), ("", "hello", "")], "t")
    append(Pool.open(tmp_path / "pool"), more, TASK, tmp_path / "scratch")

    ids = Pool.open(tmp_path / "pool").ids(slice(None))
    assert again == Comparison(new=0, gone=0)
    assert [each.removeprefix(ids[0]) for each in ids[1:2] + ids[3:]] == ["-2", "-3"]


REFUSED = {
    "changed": ([*ROWS[:2], ("9", "another", "")], r"pool\.csv, line 4: the text of '9' is 'an"),
    "two changed": (
        [("7", "x", ""), ("3", "y", "")],
        r"The same is true of 1 more\. The text of an item never changes",
    ),
    "label": ([*ROWS, ("1", "x", "sprt")], r"line 5: 'sprt' is not a label"),
    "no id": ([*ROWS, ("", "x", "")], r"line 5: the id \(column 'id'\) is empty"),
    "twice": ([*ROWS, ("1", "x", ""), ("1", "y", "")], r"line 6: the id '1' was already used in"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_changes_nothing(tmp_path: Path, kind: str) -> None:
    rows, message = REFUSED[kind]
    build_pool(source(tmp_path, ROWS, "itl"), TASK, tmp_path / "pool")
    before = contents(tmp_path / "pool")

    with pytest.raises(DataError, match=message):
        append(
            Pool.open(tmp_path / "pool"),
            source(tmp_path, rows, "itl"),
            TASK,
            tmp_path / "scratch",
        )

    assert contents(tmp_path / "pool") == before
    assert not (tmp_path / "scratch").exists()


def test_known_labels_come_all_or_not_at_all(tmp_path: Path) -> None:
    build_pool(source(tmp_path, ROWS, "it"), TASK, tmp_path / "pool")

    with pytest.raises(ConfigError, match=r"pool.label is 'label', but the pool has no known"):
        append(
            Pool.open(tmp_path / "pool"),
            source(tmp_path, ROWS + MORE, "itl"),
            TASK,
            tmp_path / "scratch",
        )


def test_a_comparison_changes_nothing_and_counts_all(tmp_path: Path) -> None:
    build_pool(source(tmp_path, ROWS, "itl"), TASK, tmp_path / "pool")
    before = contents(tmp_path / "pool")
    rows = [("7", "a goal!", "sport"), *ROWS[1:2], *MORE]

    found = compare(
        Pool.open(tmp_path / "pool"), source(tmp_path, rows, "itl"), TASK, tmp_path / "scratch"
    )

    assert (found.new, found.gone, found.changed) == (4, 1, 1)
    assert "line 2: the text of '7' is 'a goal!', but was 'a goal' when" in found.first_changed
    assert contents(tmp_path / "pool") == before


def test_a_part_that_a_kill_left_is_not_of_the_pool(tmp_path: Path) -> None:
    build_pool(source(tmp_path, ROWS, "it"), TASK, tmp_path / "pool")
    record = (tmp_path / "pool" / "pool.json").read_bytes()
    more = source(tmp_path, ROWS + MORE, "it")
    append(Pool.open(tmp_path / "pool"), more, TASK, tmp_path / "scratch")
    (tmp_path / "pool" / "pool.json").write_bytes(record)  # the kill came before it was written
    shutil.copytree(tmp_path / "pool", tmp_path / "scratch")  # and left the scratch folder

    assert len(Pool.open(tmp_path / "pool")) == 3
    append(Pool.open(tmp_path / "pool"), more, TASK, tmp_path / "scratch")
    assert len(Pool.open(tmp_path / "pool").ids(slice(None))) == 7
