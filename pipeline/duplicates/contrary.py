"""Texts that are the same, and that people labelled differently: one of the labels is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hilt.pipeline.duplicates.inheriting import contested
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Copy:
    """An item that has such a text.

    Attributes:
        reviewers: Who gave the label.
    """

    id: str
    label: str
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContraryText:
    """A text, and its items with their labels; not all of these are the same."""

    text: str
    copies: tuple[Copy, ...]


def count_contrary(pool: Pool, labels: Sequence[ItemLabel]) -> int:
    """Count the texts whose items have different labels of people.

    Texts are the same where they differ in case, width and white space at most.
    """
    return len(contested(pool.groups, labels))


def find_contrary(workspace: Workspace) -> list[ContraryText]:
    """List the texts whose copies people labelled differently, in the order of the pool."""
    pool, groups = workspace.pool, workspace.pool.groups
    labels = LoopState.read(workspace).item_labels
    labelled: dict[int, list[Copy]] = defaultdict(list)
    for each in labels:
        if each.by_people:
            copy = Copy(each.item_id, str(each.label), each.reviewers)
            labelled[int(groups[each.index])].append(copy)
    found = contested(groups, labels)
    texts = pool.texts(found)
    return [ContraryText(text, tuple(labelled[of])) for of, text in zip(found, texts, strict=True)]
