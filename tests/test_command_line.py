"""Command lines that messages print."""

import os
import subprocess
from pathlib import Path

import pytest

from hilt.command_line import command_line

HARD = [
    "my work's $HOME; x",
    'say "hi"',
    "`date`",
    "a b\tc",
    "new\nline",
    "\x1b[31mred",
    "back\\slash",
    "b\u00fcro \u732b",
    "caf\udce9",
    "*",
    "~",
    "a&b|c>d<e",
    "!!",
    "#x",
    "",
]


def words_in_bash(line: str) -> list[str]:
    """What bash makes of a line, its first word left out."""
    _, others = line.split(" ", 1)
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {others}"], capture_output=True, check=True
    )
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("word", HARD)
def test_bash_reads_every_word_as_it_was(word: str, encoding: str) -> None:
    line = command_line("select", word, encoding=encoding)

    assert words_in_bash(line) == ["select", word]
    assert line.isprintable()
    assert encoding == "utf-8" or line.isascii()


def test_a_path_that_begins_with_a_dash_is_no_option() -> None:
    assert command_line("status", Path("-work")) == "hilt status ./-work"


def test_an_ordinary_word_is_left_alone() -> None:
    assert command_line("import", Path("work"), "batch.csv") == "hilt import work batch.csv"
