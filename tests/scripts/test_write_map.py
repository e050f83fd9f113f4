"""The map in CONTRIBUTING.md, against the imports and the folders."""

import re
from pathlib import Path

import pytest

from scripts.write_map import FOLDERS, PAGE, ROOT, draw, without_detours, write_page

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs a checkout")


def test_the_map_is_what_the_imports_say() -> None:
    text = PAGE.read_text("utf-8")

    assert text == write_page(text), "run `python scripts/write_map.py`"


def test_an_arrow_that_others_replace_is_left_out() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}

    assert without_detours(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_every_folder_is_drawn_and_described() -> None:
    text, drawing = PAGE.read_text("utf-8"), draw()
    stages = [path.name for path in (ROOT / "pipeline").iterdir() if any(path.glob("*.py"))]

    assert [stage for stage in stages if f"        {stage}\n" not in drawing] == []
    assert [name for name in (*stages, *FOLDERS) if f"| `{name}/` |" not in text] == []


def test_files_that_are_named_exist() -> None:
    named = re.findall(r"`([\w/]+/\w+\.(?:py|md))`", PAGE.read_text("utf-8"))
    there = [name for name in named if "NAME" not in name]

    assert len(there) > 10
    assert [name for name in there if not Path(ROOT / name).exists()] == []
