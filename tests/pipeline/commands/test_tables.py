"""Tables in a terminal, whatever stands in them."""

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from hilt.pipeline.commands import terminal

LONG = "x" * 8000
TABLES = {
    "first": [[LONG, "12", "3.4%"]],
    "middle": [["a", LONG, "3.4%"], ["b", "food", "99.9%"]],
    "last": [["a", "12", LONG]],
    "all": [[LONG, LONG, LONG]],
    "wide characters": [["\u732b" * 8000, "\u732b" * 8000, "1"]],
    "lines": [["a\nb" * 2000, "12", "x"]],
}


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    def show(rows: list[list[str]], *, width: int, framed: bool) -> list[str]:
        console = Console(width=width, force_terminal=framed, color_system=None, soft_wrap=True)
        monkeypatch.setattr(terminal, "OUT", console)
        terminal.show_table("Title", ["label", "reviewer", "share"], rows)
        return capsys.readouterr().out.splitlines()

    return show


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_framed_table_fits_and_shows_every_column(
    shown: Callable[..., list[str]], rows: list[list[str]], width: int
) -> None:
    lines = shown(rows, width=width, framed=True)

    assert max(map(cell_len, lines)) <= width
    assert len(lines) < 40
    assert all(name in "".join(lines) for name in ("label", "reviewer", "share"))


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_a_plain_table_has_a_line_a_row(
    shown: Callable[..., list[str]], rows: list[list[str]]
) -> None:
    lines = shown(rows, width=80, framed=False)

    assert len(lines) == 2 + len(rows)
    assert max(map(cell_len, lines)) <= 3 * terminal.WIDEST_CELL + 4


def test_short_cells_are_shown_whole(shown: Callable[..., list[str]]) -> None:
    lines = shown([["food", "ann", "99.9%"], [LONG, "bob", "0.1%"]], width=60, framed=True)

    assert any("food" in line and "ann" in line and "99.9%" in line for line in lines)
    assert any("bob" in line and "0.1%" in line for line in lines)
