"""One figure reads the same wherever it is shown."""

import re
from pathlib import Path

import numpy as np
import pytest

from hilt import figures
from hilt.pipeline.reporting import pages

ROOT = Path(__file__).resolve().parents[1]
OWNER = ROOT / "pipeline" / "figures.py"
SOURCES = sorted(
    path
    for folder in ("pipeline", "proposers", "selectors", "review")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".html", ".md") and path != OWNER
)
# A share that is turned into percent, in Python or in a template.
BY_HAND = re.compile(r":,?\.\d%|%\.\d+f[\"'] *(\||%|\)) *(format)?\(? *\(?100 \*|\{100 \* ")

# A number in front of what it counts, which "1 items" comes of; `counted` writes it.
COUNTED = (
    "items|texts|labels|rows|lines|decisions|answers|remarks|groups|pairs|copies|duplicates|seeds"
    "|disagreements|trainings|reviewers"
)
BARE_COUNT = re.compile(
    rf"\{{[^{{}}]*\}} (\w+ )?({COUNTED})\b|(?<!kind )\}}\}} (\w+ )?({COUNTED})\b"
)
SAID = [
    path
    for path in SOURCES
    if path.is_relative_to(ROOT / "pipeline") and {"commands", "templates"} & set(path.parts)
]


def test_shares_are_written_in_one_place_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if BY_HAND.search(line)
    ]

    assert found == []


def test_a_count_agrees_with_its_noun() -> None:
    said = [figures.counted(number, "item") for number in (0, 1, 2, 1200)]

    assert said == ["0 items", "1 item", "2 items", "1,200 items"]
    assert [figures.counted(n, "item has", "items have") for n in (1, 2)] == [
        "1 item has",
        "2 items have",
    ]


def test_commands_and_pages_leave_counting_to_one_function() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in SAID
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if BARE_COUNT.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("write", ["percent", "whole_percent"])
def test_a_page_rounds_as_the_terminal_does(write: str) -> None:
    shares = [*np.linspace(0, 1, 401), 13 / 16, 1 / 3, 0.0005, 0.9995]

    for share in shares:
        page = getattr(pages, write)(share)
        assert page.replace("\u00a0", "") == getattr(figures, write)(share)


def test_whole_percents_are_rounded_as_on_the_screen() -> None:
    assert [figures.whole_percent(share) for share in (0.125, 0.124, 0.999, 1.0, 0.0)] == [
        *("13%", "12%", "100%", "100%", "0%")
    ]


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.8385, "83.9%"), (1.0, "100.0%"), (0.0, "0.0%"), (-0.00001, "0.0%"), (0.12345, "12.3%")],
)
def test_a_measured_share_has_one_decimal(share: float, written: str) -> None:
    assert figures.percent(share) == written


def test_a_long_name_is_cut_with_a_mark() -> None:
    assert figures.cut("a\n  b") == "a b"
    assert len(figures.cut("x" * 8000)) == figures.LONG_NAME
    assert figures.cut("x" * 8000).endswith("\u2026")
    assert figures.cut("x" * figures.LONG_NAME) == "x" * figures.LONG_NAME
    assert figures.cut(" " * 8000 + "x") == "\u2026"
