"""Opening the browser without showing the address to everybody on the machine."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

NAME = ".review-open.html"
PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>hilt</title>
<p><a href="{address}">Open the review screen</a></p>
"""


def open_browser(address: str, folder: Path) -> bool:
    """Open an address in the browser; tell whether there is one.

    What a program is started with can be read by every user of a machine, the token in an address
    too. So the browser is given a file that leads there, which nobody else can read.

    Args:
        address: Where the screen answers.
        folder: Where that file is put; `no_page_left` removes it.
    """
    path = folder / NAME
    handle, made = tempfile.mkstemp(dir=folder, prefix=f"{NAME}.")  # nobody else can read it
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(PAGE.format(address=escape(address)))
    Path(made).replace(path)
    return webbrowser.open(path.resolve().as_uri())


@contextmanager
def no_page_left(folder: Path) -> Iterator[None]:
    """Remove the file that led to the screen, once it is closed."""
    try:
        yield
    finally:
        (folder / NAME).unlink(missing_ok=True)
