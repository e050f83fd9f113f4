"""Guidelines: Markdown to markup that can do nothing but be read."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup


@lru_cache(maxsize=1024)
def render(text: str, below: int = 0) -> Markup:
    r"""Render Markdown; markup in it is shown as text, and pictures are left out.

    Args:
        text: The Markdown.
        below: The level of the heading that it stands under.

    >>> str(render("# *yes* <b>no</b>", below=2))
    '<h3><em>yes</em> &lt;b&gt;no&lt;/b&gt;</h3>\n'
    """
    # The parser escapes all that is not Markdown, and drops links that would run something.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + below)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
