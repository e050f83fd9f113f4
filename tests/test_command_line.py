"""Command lines that messages print."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

import hilt
from hilt.command_line import command_line
from hilt.pipeline.cli import COMMANDS

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


ROOT = Path(hilt.__file__).resolve().parent.parent
NAMES = "|".join((*(name for names in COMMANDS.values() for name in names), "reviewer"))


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


def written_by_hand(path: Path) -> list[str]:
    """List the texts of a module in which a value is put behind a command without quoting."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values]
            texts.append("".join(parts))
    return [text for text in texts if re.search(rf"\bhilt (?:{NAMES})\b[^`]*{{}}", text)]


@pytest.mark.skipif(not (ROOT / "pipeline").is_dir(), reason="needs a checkout")
@pytest.mark.parametrize("folder", ["hilt", "pipeline", "proposers", "review", "selectors"])
def test_no_message_writes_a_command_line_by_hand(folder: str) -> None:
    modules = [path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts]

    assert {path.name: found for path in modules if (found := written_by_hand(path))} == {}
