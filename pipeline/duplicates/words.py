"""How many words two texts share, told so that one word counts for more in a short text."""

from __future__ import annotations

import re
from collections import Counter

from hilt.pipeline.pools.duplicates import normalise

STRICT_WORDS = 30

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # Thai, kana and Han: a word each letter
_TOKEN = re.compile(
    rf"[{_UNSPACED}]|[#@]?[^\W{_UNSPACED}]+(?:['\u2019][^\W{_UNSPACED}]+)*|[^\w\s]+"
)
_SILENT = str.maketrans("", "", ".,!\"'`\u2026\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb")
_JOINTS = frozenset(":;-\u2013\u2014()[]/\\")


def count_words(text: str) -> Counter[str]:
    """Count the words of a text, and the signs that say something: "?", "%", ":(", emoji.

    >>> sorted(count_words("My top-up failed, again... WHY?! :("))
    [':(', '?', 'again', 'failed', 'my', 'top', 'up', 'why']
    """
    return Counter(word for token in _TOKEN.findall(normalise(text)) if (word := _word(token)))


def overlap(left: Counter[str], right: Counter[str]) -> float:
    """Say how much of two texts is the same.

    It is the share of their words that both have, not counting the first 30, all of which must be
    shared. So a single word that differs ("not", a number, "your" for "my") is enough in a short
    text, while of a long one hundreds may be edited.

    Args:
        left: From `count_words`.
        right: From `count_words`.

    Returns:
        In [0, 1]: 1 where the words are the same, in whatever order; 0 where one is wordless.

    >>> overlap(count_words("Where is my card?"), count_words("where's my card?"))
    0.0
    >>> words = " ".join(map(str, range(60)))
    >>> round(overlap(count_words(words), count_words(words + " and more")), 3)
    0.938
    """
    shared = (left & right).total()
    together = left.total() + right.total() - shared  # of a multiset, each word as often as it is
    differing = together - shared
    if not differing:
        return float(shared > 0)
    return max(0.0, 1 - differing / max(together - STRICT_WORDS, 1))


def _word(token: str) -> str:
    """Reduce a run of signs to what is said by it; nothing is left of commas and the like."""
    if token[-1].isalnum() or token[-1] == "_":
        return token
    sign = token.translate(_SILENT)
    return "" if sign in _JOINTS else sign
