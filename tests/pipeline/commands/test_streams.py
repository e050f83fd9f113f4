"""What becomes of values and texts on their way to standard output."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from hilt.pipeline.commands import terminal
from hilt.pipeline.commands.streams import json_text, printable


@dataclass(frozen=True, slots=True)
class Result:
    share: float
    file: Path
    parts: tuple[float, ...] = ()


def test_a_number_that_json_lacks_is_null() -> None:
    result = Result(math.nan, Path("a"), (math.inf, -math.inf, 1.5))

    said = json.loads(json_text({"result": result}, "utf-8"))

    assert said["result"] == {"share": None, "file": "a", "parts": [None, None, 1.5]}


def test_the_format_comes_first() -> None:
    assert json_text(Result(1.0, Path("a")), "utf-8").startswith('{\n "format": 1,\n "share"')


def test_a_list_is_refused() -> None:
    with pytest.raises(AssertionError, match="an object, not a list"):
        json_text([1], "utf-8")


@pytest.mark.parametrize("text", ["\x1b[2J", "\x07", "\x7f", "\x9b31m", "\r", "\x00", "\b"])
def test_what_acts_on_a_terminal_is_shown_and_not_sent(text: str) -> None:
    assert printable(text).isprintable()
    assert json_text({"text": text}, "utf-8").replace("\n", "").isprintable()
    assert json.loads(json_text({"text": text}, "utf-8"))["text"] == text


def test_lines_tabs_and_all_scripts_stay() -> None:
    text = "one\ttwo\nthree \u0645\u0631\u062d\u0628\u0627 \u732b \u00fc \U0001f525"

    assert printable(text) == text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "no such encoding"])
def test_half_a_surrogate_pair_is_still_json(encoding: str) -> None:
    text = json_text({"file": "caf\udce9"}, encoding)

    assert json.loads(text)["file"] == "caf\udce9"
    text.encode("utf-8" if " " in encoding else encoding)


COMMANDS = Path(terminal.__file__).parent


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.py")), ids=lambda path: path.stem)
def test_a_command_prints_only_through_the_gate(path: Path) -> None:
    """So every --json has a format, and nothing reaches a terminal raw."""
    text = path.read_text("utf-8")

    if path.stem not in ("terminal", "streams"):
        assert not re.search(r"typer\.echo|\bprint\(|\bOUT\b[^\"]|\bERR\b|json\.dumps", text)
    if re.search(r"\bjson: Json\b", text):
        assert "emit(" in text
