"""How much two texts have in common that speaks for them being nearly the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from hilt.pipeline.duplicates.words import HASHES, Words
from hilt.types import Floats, Integers

STRICT_WORDS = 30
FEW_TEXTS = 4  # a passage in so few is widespread beside nothing
AS_WIDESPREAD = 1.5  # a passage may be so many times as widespread as what differs
SLIGHT = 2  # words of either text that the other has not: a number, a name, "Fwd:"


@dataclass(frozen=True, slots=True)
class WordTable:
    """The words of texts as sparse arrays of shape (n_texts, HASHES), one column for each word.

    Attributes:
        counts: How often each text has a word.
        spread: How widespread the word is there; of several places the least.
    """

    counts: Any  # a csr_array, which has no types
    spread: Any

    def __getitem__(self, rows: Integers) -> WordTable:
        return WordTable(self.counts[rows], self.spread[rows])


def tabulate(words: Words, spread: npt.NDArray[np.int32]) -> WordTable:
    """Count the words of texts.

    Args:
        words: The words of n texts.
        spread: How widespread each is where it stands, from `Passages`.
    """
    order = np.lexsort((words.hashes, words.owners))
    owners, hashes = words.owners[order], words.hashes[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1])
    first = np.flatnonzero(fresh)
    counts = np.diff(np.append(first, len(order))).astype(np.int32)
    least = np.minimum.reduceat(spread[order], first) if len(first) else spread
    starts = np.searchsorted(owners[first], np.arange(len(words) + 1))
    shape = (len(words), HASHES)
    counted = csr_array((counts, hashes[first], starts), shape=shape)
    return WordTable(counted, csr_array((least, hashes[first], starts), shape=shape))


def stack(tables: list[WordTable]) -> WordTable:
    """Put one table below the other; at least one."""
    counts, spread = zip(*((table.counts, table.spread) for table in tables), strict=True)
    return WordTable(vstack(counts, format="csr"), vstack(spread, format="csr"))


def overlap(left: WordTable, right: WordTable, much: float) -> Floats:
    """Say how much of two texts is the same, for many pairs at once.

    It is the share of their words that both have, each word as often as it is there, not counting
    the first 30, all of which must be shared. So a single word that differs ("not", a number,
    "your" for "my") is enough in a short text, while of a long one hundreds may be edited.

    A shared word counts only where it is at most 1.5 times as widespread in the pool as what
    differs: a disclaimer below two mails says nothing of them, but in a text of which the pool has
    many edited copies, what they share is as widespread as the words that an edit replaced. Where
    no more than two words of either text differ (a number in a form, "Fwd:"), a shared word counts
    unless much of the pool has it.

    Args:
        left: m texts.
        right: m texts.
        much: How many texts are much of the pool.

    Returns:
        Shape (m,), in [0, 1]: 1 where the words are the same, in whatever order; 0 where one text
        has none.
    """
    common = left.counts.minimum(right.counts)
    shared = common.sum(axis=1)
    differing = left.counts.sum(axis=1) + right.counts.sum(axis=1) - 2 * shared
    shares = np.where((differing == 0) & (shared > 0), 1.0, 0.0)
    rows = np.flatnonzero((differing > 0) & (shared > STRICT_WORDS))  # the share of others is 0
    counting = _counting(left[rows], right[rows], common[rows], much)
    beyond = np.maximum(differing[rows] + counting - STRICT_WORDS, 1)
    shares[rows] = np.maximum(1 - differing[rows] / beyond, 0)
    return shares


def _counting(left: WordTable, right: WordTable, common: Any, much: float) -> Integers:  # noqa: ANN401
    """Count the common words that speak for the texts of each pair being nearly the same."""
    more, less = left.counts - common, right.counts - common
    slight = np.maximum(more.sum(axis=1), less.sum(axis=1)) <= SLIGHT
    differing = left.spread.multiply(more > 0) + right.spread.multiply(less > 0)
    most = AS_WIDESPREAD * _medians(differing)
    most[slight] = np.maximum(most, much)[slight]
    return _up_to(common, left.spread.minimum(right.spread), np.maximum(most, FEW_TEXTS))


def _medians(values: Any) -> Floats:  # noqa: ANN401 - a csr_array
    """Find the median of each row, of two the greater; 0 where a row has none."""
    values = values.tocsr()
    values.eliminate_zeros()
    starts, sizes = values.indptr[:-1], np.diff(values.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    in_order = values.data[np.lexsort((values.data, rows))]
    medians = np.zeros(len(sizes))
    medians[sizes > 0] = in_order[(starts + sizes // 2)[sizes > 0]]
    return medians


def _up_to(common: Any, spread: Any, most: Floats) -> Integers:  # noqa: ANN401 - csr_arrays
    """Count the common words of each row that are at most so widespread."""
    found = spread.multiply(common > 0).tocsr()
    limits = np.repeat(most, np.diff(found.indptr))
    kept = csr_array((found.data <= limits, found.indices, found.indptr), shape=found.shape)
    counts: Integers = common.multiply(kept).sum(axis=1)
    return counts


def shared_with_part(counts: Any, parts: Integers) -> Floats:  # noqa: ANN401 - a csr_array
    """Say how many of their different words texts share, on average, with those of their part.

    Args:
        counts: Of a `WordTable`, n rows.
        parts: Shape (n,), which part each text is in.

    Returns:
        Shape (n,), in [0, 1]: the share of the words of both.
    """
    rows, words = counts.nonzero()
    in_part, place = np.unique(parts[rows].astype(np.int64) * HASHES + words, return_inverse=True)
    holders = np.bincount(place, minlength=len(in_part))
    sizes, lengths = np.bincount(parts), np.bincount(rows, minlength=len(parts))
    shared = np.bincount(rows, holders[place], len(parts)) / sizes[parts]
    usual = (np.bincount(parts, lengths) / sizes)[parts]
    share: Floats = shared / np.maximum(lengths + usual - shared, 1)
    return share
