"""Guidelines: Markdown to markup that can do nothing but be read."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup


@lru_cache(maxsize=1024)
def render(text: str) -> Markup:
    r"""Render Markdown; markup in it is shown as text, and pictures are left out.

    >>> str(render("*yes* <b>no</b>"))
    '<p><em>yes</em> &lt;b&gt;no&lt;/b&gt;</p>\n'
    """
    # The parser escapes all that is not Markdown, and drops links that would run something.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(parser.render(text))
