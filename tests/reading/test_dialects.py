"""Delimiters and quotes: what is found, and what is said where more than one reading fits."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilt.errors import DataError
from hilt.pipeline.cli import app
from hilt.pipeline.workspace.workspace import Workspace
from hilt.reading.options import Options
from hilt.reading.rows import Column
from hilt.reading.table import open_table

WANTED = ("id", "text")


def read(
    path: Path, content: str, options: Options | None = None
) -> tuple[list[str], tuple[str, ...]]:
    path.write_bytes(content.encode())
    table = open_table(path, options or Options(wanted=WANTED))
    batches = table.batches([Column("text", "text", "text")])
    return [text for batch in batches for text in batch.column("text").to_pylist()], table.warnings


@pytest.mark.parametrize("ending", [".tsv", ".txt", ".csv"])
def test_quotes_that_enclose_nothing_are_characters(tmp_path: Path, ending: str) -> None:
    rows = [(n, f"text {n}") for n in range(60)]
    rows[7], rows[40] = (7, '"Hello, she wrote'), (40, '"no" was all')
    content = "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in rows)

    texts, warnings = read(tmp_path / f"a{ending}", content)

    assert texts == [text for _, text in rows]
    assert len(warnings) == 1
    assert "line 9: the quote that begins a field here does not enclose it" in warnings[0]


def test_a_tsv_in_which_a_pair_of_quotes_holds_rows_has_no_quoting(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"a\n2\tb\n3\tc"\n4\td\n'

    texts, warnings = read(tmp_path / "a.tsv", content)
    quoted, _ = read(tmp_path / "b.tsv", content, Options(quoting="fields", wanted=WANTED))

    assert texts == ['"a', "b", 'c"', "d"]
    assert "a.tsv, line 2: " in warnings[0]
    assert quoted == ["a\n2\tb\n3\tc", "d"]


def test_a_csv_in_which_a_pair_of_quotes_holds_rows_is_read_as_csv_and_it_is_said(
    tmp_path: Path,
) -> None:
    content = 'id,text\n1,"a\n2,b\n3,c"\n4,d\n'

    texts, warnings = read(tmp_path / "a.csv", content)
    bare, _ = read(tmp_path / "b.csv", content, Options(quoting="none", wanted=WANTED))
    told = read(tmp_path / "c.csv", content, Options(quoting="fields", wanted=WANTED))

    assert told == (texts, ())
    assert texts == ["a\n2,b\n3,c", "d"]
    assert (
        "a.csv, line 2: a quoted field that begins here continues for 2 more lines" in warnings[0]
    )
    assert bare == ['"a', "b", 'c"', "d"]


def test_texts_of_several_lines_are_no_rows(tmp_path: Path) -> None:
    letter = "Dear all,\n" * 30 + "bye"

    texts, warnings = read(tmp_path / "a.csv", f'id,text,n\n1,"{letter}",1\n2,x,2\n')

    assert texts == [letter, "x"]
    assert warnings == ()


def test_letters_with_a_comma_here_and_there_are_no_rows(tmp_path: Path) -> None:
    letter = "Dear Sir or Madam,\nwhere is my parcel?\nOn Monday, it was to be here.\nYours, Ann"

    texts, warnings = read(tmp_path / "a.csv", f'id,text\n1,"{letter}"\n2,b\n3,"{letter}"\n')

    assert texts == [letter, "b", letter]
    assert not warnings


def test_a_quote_that_closes_too_early_is_said(tmp_path: Path) -> None:
    texts, warnings = read(tmp_path / "a.csv", 'id,text\n1,"a, b"\n2,"so" he said\n3,"c, d"\n')

    assert texts == ["a, b", "so he said", "c, d"]
    assert "line 3: a quote that begins a field closes before the field ends" in warnings[0]


def test_a_quote_that_is_never_closed_is_refused_in_a_csv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3: the row that begins here opens a quote"):
        read(tmp_path / "a.csv", 'id,text\n1,a\n2,"b\n3,c\n')


def test_two_delimiters_that_fit_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    content = "text;a,b\nx;1,2\ny;3,4\n"
    path.write_text(content)

    table = open_table(path)

    assert "fields were read as separated by ','" in table.warnings[0]
    assert read(path, content) == (["x", "y"], ())


@pytest.mark.parametrize("text", ["hello, world", "a; b", "x|y", "tab\tbed"])
def test_a_text_alone_in_its_column_may_hold_any_one_delimiter(tmp_path: Path, text: str) -> None:
    assert read(tmp_path / "a.txt", f"text\nfirst\n{text}\n")[0] == ["first", text]


def test_what_the_user_says_goes_before_what_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,a;b\nx,1;2\n")

    assert open_table(path, Options(delimiter=";")).names == ("text,a", "b")


@pytest.mark.parametrize("written", ["\t", "\\t", "tab"])
def test_a_tab_can_be_written_on_a_command_line(written: str) -> None:
    assert Options.checked(encoding=None, delimiter=written, quoting="auto").delimiter == "\t"


@pytest.mark.parametrize("command", ["predict", "import"])
def test_a_quoting_that_there_is_not_is_refused_with_the_nearest(
    tmp_path: Path, small_workspace: Callable[[str], Workspace], command: str
) -> None:
    work = small_workspace("ready").folder
    (tmp_path / "a.csv").write_text("id,text,label\n")

    done = CliRunner().invoke(app, [command, str(work), str(tmp_path / "a.csv"), "--quoting", "fi"])

    assert done.exit_code == 2
    assert "`quoting` is 'fi'. Allowed: auto, fields, none." in " ".join(done.stderr.split())
