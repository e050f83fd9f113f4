"""The words of texts, and the signs that say something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from hilt.media.text import normalise

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


@dataclass(frozen=True, slots=True)
class Words:
    """The words of texts, in their order and one text after the other.

    Attributes:
        hashes: Shape (n_words,), int32: a number for each word, equal where the words are.
        starts: Shape (n_texts + 1,): where the words of each text begin, and where the last end.
    """

    hashes: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Shape (n_words,): which text each word is in."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def read_words(texts: Iterable[str]) -> Words:
    """List the words of many texts by their hashes."""
    hashed = [[crc32(word.encode()) % HASHES for word in words_of(text)] for text in texts]
    starts = np.cumsum([0, *map(len, hashed)])
    hashes = np.fromiter((word for row in hashed for word in row), np.int32, starts[-1])
    return Words(hashes, starts)


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
