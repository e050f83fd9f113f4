"""How widespread a passage is in a pool: disclaimers, headers, quoted replies, openings.

Passages are looked at through a window of a few words. How widespread a word is where it stands
is the number of texts that have the most widespread window around it. So the words of a disclaimer
are widespread, while the same words elsewhere in a text are not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hilt.pipeline.duplicates.rule import WINDOW
from hilt.pipeline.duplicates.words import Words

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing

Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int32]


class Passages:
    """Counts the texts that each window stands in.

    Args:
        blocks: The words of the texts to count in, in blocks. 8 bytes for each of their words are
            needed, and 12 are kept for each window that stands in several texts.
    """

    def __init__(self, blocks: Iterable[Words]) -> None:
        windows = [_windows_by_text(words) for words in blocks]
        found, counts = np.unique(
            np.concatenate([np.empty(0, dtype=np.uint64), *windows]), return_counts=True
        )
        self._found: Hashes = found[counts > 1]
        self._counts: Counts = counts[counts > 1].astype(np.int32)

    def spread(self, words: Words) -> Counts:
        """Say how widespread each word is where it stands.

        Returns:
            Shape (n_words,): in how many texts the most widespread window around it stands; 1
            where there is no other.
        """
        windows, whole = _windows(words)
        counts = np.ones(len(windows), dtype=np.int32)
        counts[whole] = self._count(windows[whole])
        spread, owners = counts.copy(), words.owners
        for shift in range(1, WINDOW):
            before = np.where(owners[shift:] == owners[:-shift], counts[:-shift], 1)
            np.maximum(spread[shift:], before, out=spread[shift:])
        return spread

    def _count(self, windows: Hashes) -> Counts:
        if not len(self._found):
            return np.ones(len(windows), dtype=np.int32)
        places = np.minimum(np.searchsorted(self._found, windows), len(self._found) - 1)
        return np.where(self._found[places] == windows, self._counts[places], np.int32(1))


def _windows(words: Words) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """Look at the words through a window.

    Returns:
        The hash of the window that begins with each word, shape (n_words,); and whether it is a
        whole window. A text that is shorter than a window is one.
    """
    count = len(words.hashes)
    places, firsts, ends = np.arange(count), words.starts[:-1], words.starts[1:]
    ends = ends[words.owners]
    hashes = np.zeros(count, dtype=np.uint64)
    for shift in range(min(WINDOW, count)):
        inside = places + shift < ends
        following = np.zeros(count, dtype=np.uint64)
        following[: count - shift] = words.hashes[shift:].astype(np.uint64) + np.uint64(1)
        hashes = (hashes ^ np.where(inside, following, np.uint64(0))) * _FACTOR
        hashes ^= hashes >> np.uint64(31)
    whole = (places + WINDOW <= ends) | (places == firsts[words.owners])
    return hashes, whole


def _windows_by_text(words: Words) -> Hashes:
    """List the windows of every text, each once."""
    hashes, whole = _windows(words)
    hashes, owners = hashes[whole], words.owners[whole]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    fresh = np.ones(len(hashes), dtype=bool)
    fresh[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[fresh]
