"""docs/api.md, against the docstrings."""

import hilt
from scripts.write_api import PAGE, write_page


def test_the_page_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text("utf-8") == write_page(), "run `python scripts/write_api.py`"


def test_every_public_name_is_on_it() -> None:
    text = PAGE.read_text("utf-8")

    assert [name for name in hilt.__all__ if f"hilt.{name}" not in text] == []
