"""Texts that are the same, and that people labelled differently: one of the labels is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hilt.pipeline.duplicates.inheriting import carrying, contested
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace
from hilt.values import in_words


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


def count_contrary(files: WorkspaceFiles, labels: Sequence[ItemLabel]) -> int:
    """Count the texts whose items have different labels of people.

    Texts are the same where they differ in case, width and white space at most.
    """
    return len(contested(files.pool.groups, labels, carrying(files)))


def find_contrary(workspace: Workspace) -> list[ContraryText]:
    """List the texts whose copies people labelled differently, in the order of the pool."""
    pool, groups = workspace.pool, workspace.pool.groups
    labels = LoopState.read(workspace).item_labels
    labelled: dict[int, list[Copy]] = defaultdict(list)
    for each in labels:
        if each.by_people:
            copy = Copy(each.item_id, in_words(each.value or ()), each.reviewers)
            labelled[int(groups[each.index])].append(copy)
    found = contested(groups, labels, carrying(workspace))
    texts = pool.texts(found)
    return [ContraryText(text, tuple(labelled[of])) for of, text in zip(found, texts, strict=True)]
