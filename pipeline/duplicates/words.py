"""How many words texts share, told so that one word counts for more in a short text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import numpy as np
from scipy.sparse import csr_array

from hilt.pipeline.pools.duplicates import normalise
from hilt.types import Floats, Integers

STRICT_WORDS = 30
HASHES = 2**31 - 1  # two words of a pair of texts meet with a chance of one in millions

_ASCII_SIGNS = r".,;:!?'\"()\[\]{}/\\`\-"
_SIGNS = _ASCII_SIGNS + "\u00a1\u00ab\u00bb\u00bf\u060c\u061b\u0964\u0965\u2010-\u2027\u3001-\u3011"
_TOKEN = re.compile(rf"([^\s{_SIGNS}]+)|([{_SIGNS}]+)")
_FACE = re.compile(r"[:;]-?[()\[\]/\\]|[()\[\]/\\]-?[:;]")


def words_of(text: str) -> list[str]:
    """List the words of a text, and the signs that say something: question marks and faces.

    A language that is written without spaces has one word between two commas; so it takes more
    that is equal there, never less.

    >>> words_of("My top-up failed, again... WHY?! :(")
    ['my', 'top', 'up', 'failed', 'again', 'why', '?', ':(']
    """
    found = _TOKEN.findall(normalise(text))
    return [said for word, signs in found if (said := word or _said_by(signs))]


def count_words(texts: Iterable[str]) -> Any:  # noqa: ANN401 - a csr_array, which has no types
    """Count the words of texts.

    Returns:
        A sparse array of shape (n, HASHES), int32: a row for each text, words by their hash.
    """
    hashed = [[crc32(word.encode()) % HASHES for word in words_of(text)] for text in texts]
    ends = np.cumsum([0, *map(len, hashed)])
    words = np.fromiter((word for row in hashed for word in row), np.int32, ends[-1])
    counts = csr_array((np.ones_like(words), words, ends), shape=(len(hashed), HASHES))
    counts.sum_duplicates()
    return counts


def overlap(left: Any, right: Any) -> Floats:  # noqa: ANN401
    """Say how much of two texts is the same, for many pairs at once.

    It is the share of their words that both have, each word as often as it is there, not counting
    the first 30, all of which must be shared. So a single word that differs ("not", a number,
    "your" for "my") is enough in a short text, while of a long one hundreds may be edited.

    Args:
        left: From `count_words`, m rows.
        right: From `count_words`, m rows.

    Returns:
        Shape (m,), in [0, 1]: 1 where the words are the same, in whatever order; 0 where one text
        has none.

    >>> texts = ["Where is my card?", "my card: where is?", "Where is your card?"]
    >>> overlap(count_words(texts[:1] * 2), count_words(texts[1:])).tolist()
    [1.0, 0.0]
    """
    shared = left.minimum(right).sum(axis=1)
    together = left.sum(axis=1) + right.sum(axis=1) - shared
    beyond = 1 - (together - shared) / np.maximum(together - STRICT_WORDS, 1)
    shares: Floats = np.where(shared == together, shared > 0, np.maximum(beyond, 0))
    return shares


def shared_with_part(counts: Any, parts: Integers) -> Floats:  # noqa: ANN401 - a csr_array
    """Say how many of their different words texts share, on average, with those of their part.

    Args:
        counts: From `count_words`, n rows.
        parts: Shape (n,), which part each text is in.

    Returns:
        Shape (n,), in [0, 1]: the share of the words of both.

    >>> shared_with_part(count_words(["a b c", "a b d", "a b"]), np.zeros(3, int)).round(3).tolist()
    [0.7, 0.7, 0.75]
    """
    rows, words = counts.nonzero()
    in_part, place = np.unique(parts[rows].astype(np.int64) * HASHES + words, return_inverse=True)
    holders = np.bincount(place, minlength=len(in_part))
    sizes, lengths = np.bincount(parts), np.bincount(rows, minlength=len(parts))
    shared = np.bincount(rows, holders[place], len(parts)) / sizes[parts]
    usual = (np.bincount(parts, lengths) / sizes)[parts]
    share: Floats = shared / np.maximum(lengths + usual - shared, 1)
    return share


def only_in(text: str, other: str) -> tuple[str, ...]:
    """List the words that one text has and another has not, or has less often.

    >>> only_in("Where is my card?", "Where is your card?")
    ('my',)
    """
    return tuple((Counter(words_of(text)) - Counter(words_of(other))).elements())


def _said_by(signs: str) -> str:
    """Reduce a run of signs to what is said by it: nothing by commas and the like."""
    if "?" in signs:
        return "?"
    face = _FACE.search(signs)
    return face[0] if face else ""
