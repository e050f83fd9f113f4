"""Label names as markup: where a line may break in them."""

from __future__ import annotations

from markupsafe import Markup, escape

BREAKS = "_-/."


def breakable(name: str) -> Markup:
    """Let long names break after the signs between their words, and not within a word.

    >>> str(breakable("card_not_<working>"))
    'card_<wbr>not_<wbr>&lt;working&gt;'
    """
    markup = str(escape(name))
    for sign in BREAKS:
        markup = markup.replace(sign, f"{sign}<wbr>")
    return Markup(markup)
