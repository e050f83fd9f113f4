"""How much two texts have in common that speaks for them being nearly the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from hilt.pipeline.duplicates.rule import AS_WIDESPREAD, FEW_TEXTS, SLIGHT, STRICT_WORDS
from hilt.pipeline.duplicates.words import HASHES, Words
from hilt.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class WordTable:
    """The words of texts as sparse arrays of shape (n_texts, HASHES), one column for each word.

    Attributes:
        counts: How often each text has a word.
        least: How widespread the word is where it is least so.
        most: How widespread it is where it is most so.
        apart: How often it stands where it is about as little widespread as at least: in the body
            of a mail, while the disclaimer has it too.
    """

    counts: Any  # a csr_array, which has no types
    least: Any
    most: Any
    apart: Any

    def __getitem__(self, rows: Integers) -> WordTable:
        return WordTable(*(part[rows] for part in self.parts))

    @property
    def parts(self) -> tuple[Any, ...]:
        """The four arrays."""
        return self.counts, self.least, self.most, self.apart


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
    starts = np.searchsorted(owners[first], np.arange(len(words) + 1))
    counts = np.diff(np.append(first, len(order))).astype(np.int32)
    columns = [counts, spread, spread, spread]
    if len(first):
        here = spread[order]
        least, most = np.minimum.reduceat(here, first), np.maximum.reduceat(here, first)
        near_least = (here <= AS_WIDESPREAD * np.repeat(least, counts)).astype(np.int32)
        columns = [counts, least, most, np.add.reduceat(near_least, first)]
    shape = (len(words), HASHES)
    return WordTable(*(csr_array((each, hashes[first], starts), shape=shape) for each in columns))


def stack(tables: list[WordTable]) -> WordTable:
    """Put one table below the other; at least one."""
    parts = zip(*(table.parts for table in tables), strict=True)
    return WordTable(*(vstack(part, format="csr") for part in parts))


def overlap(left: WordTable, right: WordTable, much: float) -> Floats:
    """Say how much of two texts is the same, for many pairs at once.

    It is the share of their words that both have, each word as often as it is there, not counting
    the first 30, all of which must be shared. So a single word that differs ("not", a number,
    "your" for "my") is enough in a short text, while of a long one hundreds may be edited.

    A shared word counts only where it is at most 1.5 times as widespread in the pool as what
    differs: a disclaimer below two mails says nothing of them, but in a text of which the pool has
    many edited copies, what they share is as widespread as the words that an edit replaced. Where
    no more than three words of either text differ (a number in a form, "Fwd:"), a shared word
    counts unless much of the pool has it.

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
    if not len(rows):
        return shares
    counting = _counting(left[rows], right[rows], common[rows], much)
    beyond = np.maximum(differing[rows] + counting - STRICT_WORDS, 1)
    shares[rows] = np.maximum(1 - differing[rows] / beyond, 0)
    return shares


def _counting(left: WordTable, right: WordTable, common: Any, much: float) -> Floats:  # noqa: ANN401
    """Count the common words that speak for the texts of each pair being nearly the same."""
    common.sum_duplicates()  # the words of each row in their order, as in the arrays below
    more, less = left.counts - common, right.counts - common
    slight = np.maximum(more.sum(axis=1), less.sum(axis=1)) <= SLIGHT
    differing = left.least.multiply(more > 0) + right.least.multiply(less > 0)
    limits = np.maximum(AS_WIDESPREAD * _medians(differing), FEW_TEXTS)
    limits[slight] = np.maximum(limits, much)[slight]
    everywhere = common > 0
    least = left.least.minimum(right.least).multiply(everywhere).tocsr()
    most = left.most.maximum(right.most).multiply(everywhere).tocsr()
    rows = np.repeat(np.arange(len(limits)), np.diff(common.indptr))
    limits = limits[rows]
    apart = left.apart.minimum(right.apart).multiply(everywhere).tocsr()
    some = np.where(least.data <= limits, apart.data, 0)  # of a word that a disclaimer has too
    counts = np.where(most.data <= limits, common.data, np.minimum(some, common.data))
    return np.asarray(np.bincount(rows, counts, len(slight)), dtype=np.float64)


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
