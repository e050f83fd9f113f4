"""What a user wants to see of near-duplicates before trusting them, and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hilt.pipeline.duplicates.contrary import count_contrary
from hilt.pipeline.duplicates.inheriting import Check, carrying, check, inherit, settled_groups
from hilt.pipeline.duplicates.words import only_in
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.types import Integers

MAX_MEMBERS = 3  # of a group that are shown beside the representative
SIZES = {"2": 2, "3 to 9": 3, "10 to 99": 10, "100 or more": 100}  # by the least of each


@dataclass(frozen=True, slots=True)
class DuplicatesSummary:
    """How the pool falls into groups, and what came of it.

    Attributes:
        near: Whether near-duplicates were looked for; else only the same texts make groups.
        groups: Groups of at least two items.
        items: Items in those.
        largest: Items in the largest, 0 where there is no group.
        inherited: Items that have the label of another one of their group.
        check: How often such a label is right; None while nobody knows.
        appended: Items that were appended since near-duplicates were looked for.
        contrary: Texts whose items people labelled differently, though the texts are the same.
    """

    near: bool
    groups: int
    items: int
    largest: int
    inherited: int
    check: Check | None
    appended: int
    contrary: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Some items of one group.

    Attributes:
        items: How many it has.
        representative: The text of the item that is asked.
        members: Other texts in it, a few; none where all are the same.
    """

    items: int
    representative: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that the thresholds only just keep together or apart.

    Attributes:
        together: Whether the two are near-duplicates.
        words: What each text has that the other has not.
    """

    together: bool
    cosine: float
    overlap: float
    texts: tuple[str, str]
    words: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DuplicatesResult:
    """The groups of a workspace.

    Attributes:
        cosine: The threshold.
        overlap: The threshold.
        recall: Share of the true neighbours that the search for near-duplicates looked at, as it
            was measured on a sample; None where nothing was searched.
        sizes: How many groups there are of which size.
        largest: The largest groups.
        pairs: Pairs close to the thresholds.
    """

    summary: DuplicatesSummary
    cosine: float
    overlap: float
    recall: float | None
    sizes: dict[str, int]
    largest: tuple[DuplicateGroup, ...]
    pairs: tuple[Pair, ...]


def describe(files: WorkspaceFiles, labels: Sequence[ItemLabel], most: int) -> DuplicatesResult:
    """Describe the groups as they stand."""
    settings = files.config.duplicates
    sizes = _sizes(files.groups)
    return DuplicatesResult(
        summary=summarise(files, labels),
        cosine=settings.cosine,
        overlap=settings.overlap,
        recall=files.neighbours.measured().get("recall"),
        sizes=dict(zip(SIZES, _histogram(sizes), strict=True)),
        largest=tuple(_largest_groups(files, sizes, most)),
        pairs=tuple(_close_pairs(files)),
    )


def summarise(files: WorkspaceFiles, labels: Sequence[ItemLabel]) -> DuplicatesSummary:
    """Count groups and inherited labels."""
    groups, near, carry = files.groups, files.has_near_duplicates, carrying(files)
    sizes = _sizes(groups)
    sizes = sizes[sizes > 1]
    return DuplicatesSummary(
        near=near,
        groups=len(sizes),
        items=int(sizes.sum()),
        largest=int(sizes.max(initial=0)),
        inherited=len(inherit(settled_groups(files, labels), labels, carry)),
        check=check(groups, labels, carry),
        appended=len(groups) - len(files.near_duplicates.open()) if near else 0,
        contrary=count_contrary(files, labels),
    )


def _sizes(groups: Integers) -> Integers:
    """Count the items of each representative: shape (n_items,), 0 where an item is none."""
    return np.bincount(groups, minlength=len(groups))


def _histogram(sizes: Integers) -> list[int]:
    counts: list[int] = np.histogram(sizes, [*SIZES.values(), np.inf])[0].tolist()
    return counts


def _largest_groups(files: WorkspaceFiles, sizes: Integers, most: int) -> Iterator[DuplicateGroup]:
    """Read some texts of the largest groups."""
    groups, same_text = files.groups, files.pool.groups
    for representative in np.argsort(-sizes, kind="stable")[:most]:
        if sizes[representative] > 1:
            spellings = np.unique(same_text[groups == representative])
            others = spellings[spellings != representative][:MAX_MEMBERS]
            text, *texts = files.pool.texts([representative, *others])
            yield DuplicateGroup(int(sizes[representative]), text, tuple(texts))


def _close_pairs(files: WorkspaceFiles) -> Iterator[Pair]:
    """Read the texts of the pairs that were written down while the groups were made."""
    if files.has_near_duplicates:
        measured = files.near_duplicates.measured()
        for key in ("together", "apart"):
            for each in measured[key]:
                left, right = files.pool.texts(each["items"])
                words = only_in(left, right), only_in(right, left)
                yield Pair(key == "together", each["cosine"], each["overlap"], (left, right), words)
