"""The seam of this folder: the small model that is trained on the labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from hilt.rows import Rows, joined
from hilt.tasks.base import Targets, Task
from hilt.types import Floats, Integers, Items


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A way of using a student, or a part of it, without hilt.

    Attributes:
        library: What loads it.
        about: What it gives, in a sentence.
        code: Python that is run in the student's folder. It begins with `texts`, a list, and
            ends with `labels`, the name of a label for each of them.
    """

    library: str
    about: str
    code: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says of a student.

    Attributes:
        description: What it is, in a phrase that follows "This is".
        library: What a model hub should say that loads all of it.
        other_ways: How to use it without hilt.
    """

    description: str
    library: str = "hilt"
    other_ways: tuple[OtherWay, ...] = ()


class Student(Protocol):
    """A trained model, as the rest of hilt uses it; `OwnStudent` makes one of a user's class."""

    @property
    def kind(self) -> str:
        """Its name in `STUDENTS`."""
        ...

    @property
    def reads_embeddings(self) -> bool:
        """Whether it reads the vectors of the configured embedder, and is nothing without it."""
        ...

    @property
    def reads_contents(self) -> bool:
        """Whether it reads the items themselves; one that does not is too quick to be sent away."""
        ...

    def predict_proba(self, items: Items) -> Floats:
        """Predict.

        Args:
            items: n items; a frozen student reads their embeddings, a transformer their texts.

        Returns:
            The values of the rows, as the task lays them out: of the task `single` of shape
            (n, n_labels), float32, and each row sums to 1.
        """
        ...

    def sharpened(self, temperature: float) -> Student:
        """Return the same student with its logits divided by `temperature`."""
        ...

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write the weights as safetensors and the rest as JSON into an existing folder."""
        ...

    def card(self, place: str = ".") -> Card:
        """Say what it is and how it is used without hilt.

        Args:
            place: Where `save` wrote it, relative to the folder in which the code is run.
        """
        ...


def predict_rows(student: Student, items: Items, task: Task) -> Rows:
    """Let a student predict, and check what it gives.

    Raises:
        ExtensionError: If it gives what are no rows of the task.
    """
    predicted, who = student.predict_proba(items), f"Student {student.kind!r}"
    return task.rows.checked(predicted, items, who, may_abstain=False)


@dataclass(frozen=True, slots=True)
class Examples:
    """What a student is fitted to.

    Attributes:
        items: m items.
        targets: What is true of them; of the task `single`, `targets.rows.values` has the shape
            (m, n_labels).
        described: The places of those that are the description of a label.
    """

    items: Items
    targets: Targets
    described: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.items)


def take(items: Items, indices: Integers) -> Items:
    """Pick some of the items."""
    embeddings = None if items.embeddings is None else items.embeddings[indices]
    ids, contents = ([each[i] for i in indices] for each in (items.ids, items.contents))
    return Items(ids, contents, embeddings)


def join(parts: list[Examples]) -> Examples:
    """Put examples one after the other; all must have embeddings, or none."""
    items = Items(
        [item for part in parts for item in part.items.ids],
        [content for part in parts for content in part.items.contents],
        np.concatenate([rows for part in parts if (rows := part.items.embeddings) is not None]),
    )
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    return Examples(
        items,
        Targets(
            joined([part.targets.rows for part in parts]),
            np.concatenate([part.targets.weights for part in parts]),
        ),
        tuple(
            start + row
            for start, part in zip(starts, parts, strict=False)
            for row in part.described
        ),
    )
