"""What is done to every item, as small values that can be sent to where it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np

from hilt.pipeline.students.base import Student, predict_rows
from hilt.pipeline.students.saved import load_kind
from hilt.proposers.base import Embedder
from hilt.proposers.guarded import GuardedProposer
from hilt.tasks.base import Task
from hilt.types import Floats, Items

Files = tuple[tuple[str, bytes], ...]  # path in a folder, and content


@dataclass(frozen=True, slots=True)
class EmbedWork:
    """Embeds items.

    Attributes:
        embedder: What does it; sent as its settings, so that its model is opened where it arrives.
    """

    name: ClassVar[str] = "Embedding"
    embedder: Embedder

    def identity(self) -> Mapping[str, str]:
        """Say which model embeds, with the checksums of its files."""
        return self.embedder.fingerprint

    def open(self) -> Callable[[Items], Floats]:
        """Embed n items: shape (n, d)."""
        return lambda items: self.embedder.embed(list(items.contents))


@dataclass(frozen=True, slots=True)
class ProposeWork:
    """Lets a proposer propose.

    Attributes:
        proposer: Which one; sent as its settings.
    """

    name: ClassVar[str] = "Proposing"
    proposer: GuardedProposer

    def identity(self) -> Mapping[str, str]:
        """Say which model it asks."""
        return self.proposer.identity()

    def open(self) -> Callable[[Items], Floats]:
        """Propose for some items: the values of their rows, NaN for abstentions."""
        return lambda items: self.proposer.propose(items).values


@dataclass(frozen=True, slots=True)
class PredictWork:
    """Lets a student predict.

    Attributes:
        student: Which one; sent with its files, for it was trained here and is nowhere else.
        task: What it predicts.
        device: Where it runs when it arrives.
        embedder: What embeds items that have no embeddings yet, for a student that reads them.
    """

    name: ClassVar[str] = "Predicting"
    student: Student
    task: Task
    device: str
    embedder: Embedder | None = None

    def identity(self) -> Mapping[str, str]:
        """Say which model embeds, if one does."""
        return {} if self.embedder is None else self.embedder.fingerprint

    def open(self) -> Callable[[Items], Floats]:
        """Predict for some items: the values of their rows."""
        return self._predict

    def _predict(self, items: Items) -> Floats:
        if not len(items):
            return np.empty((0, self.task.rows.n_columns), dtype=np.float32)
        if self.embedder is not None:
            items = Items(items.ids, items.contents, self.embedder.embed(list(items.contents)))
        return predict_rows(self.student, items, self.task).values

    def __reduce__(self) -> tuple[object, ...]:
        """Pack the student's files."""
        with TemporaryDirectory() as folder:
            self.student.save(Path(folder), self.task.labels)
            files = _pack(Path(folder))
        return _arrived, (self.student.kind, files, self.task, self.device, self.embedder)


def _arrived(
    kind: str, files: Files, task: Task, device: str, embedder: Embedder | None
) -> PredictWork:
    from hilt.proposers.models.encoder import resolve_device

    with TemporaryDirectory() as folder:
        for name, content in files:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        student = load_kind(kind, Path(folder), resolve_device(device), task)
    return PredictWork(student, task, device, embedder)


def _pack(folder: Path) -> Files:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)
