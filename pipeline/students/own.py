"""A student of the user's own, as the rest of hilt uses it: what it gives is checked first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hilt.errors import ModelError
from hilt.files import read_object, write_json
from hilt.own_code import blamed_on
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.students.base import Card, Examples
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Floats, Items

OWN = "own"  # the folder into which the class saves
WRAPPING = "own.json"


class Predictor(Protocol):
    """What a class of the user's own must offer to be a student.

    It may also have `reads_embeddings`, false where it reads contents alone; `reads_contents`,
    false where it reads embeddings alone; and `card`, which says what it is as `Student.card` does.
    """

    @classmethod
    def fit(
        cls,
        examples: Examples,
        *,
        device: str,
        seed: int,
        **settings: Any,  # noqa: ANN401 - its own
    ) -> Predictor:
        """Train one.

        Args:
            examples: What it is fitted to.
            device: Where to train: `cpu`, `cuda` or `mps`.
            seed: The only source of chance.
            settings: What the configuration says under `student.settings`.
        """
        ...

    def predict_proba(self, items: Items) -> Rows | Floats:
        """Predict: rows as the task lays them out, or their values alone.

        Of the task `single` these have the shape (n, n_labels), and each row sums to 1.
        """
        ...

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write all that `load` needs into an existing, empty folder."""
        ...

    @classmethod
    def load(cls, folder: Path, device: str) -> Predictor:
        """Read what `save` wrote."""
        ...


@dataclass(frozen=True, slots=True)
class OwnStudent:
    """A student of the user's own, whose predictions are checked, and that is named if it fails.

    Attributes:
        kind: What `STUDENTS` knows its class by.
        predictor: What the class made.
        task: What it must predict.
        temperature: What the logarithms of its predictions are divided by.
    """

    kind: str
    predictor: Predictor
    task: Task
    temperature: float = 1.0

    @classmethod
    def fit(
        cls,
        kind: str,
        examples: Examples,
        settings: Mapping[str, Any],
        *,
        task: Task,
        device: str,
        seed: int,
    ) -> OwnStudent:
        """Let a class train one.

        Raises:
            ExtensionError: If it fails.
        """
        made = STUDENTS.make(kind, _who(kind), settings, examples, device=device, seed=seed)
        return cls(kind, made, task)

    def predict_proba(self, items: Items) -> Floats:
        """Predict, as `Student` says.

        Raises:
            ExtensionError: If it fails, or gives what are no rows of the task.
        """
        who = _who(self.kind)
        with blamed_on(who):
            predicted = self.predictor.predict_proba(items)
        rows = self.task.rows.checked(predicted, items, who, may_abstain=False)
        return self.task.rows.tempered(rows, self.temperature).values

    @property
    def reads_embeddings(self) -> bool:
        """Whether it reads the vectors of the configured embedder, or may."""
        with blamed_on(_who(self.kind)):
            return bool(getattr(self.predictor, "reads_embeddings", True))

    @property
    def reads_contents(self) -> bool:
        """Whether it reads the items themselves, or may."""
        with blamed_on(_who(self.kind)):
            return bool(getattr(self.predictor, "reads_contents", True))

    def sharpened(self, temperature: float) -> OwnStudent:
        """Return the same student with its logits divided by `temperature`."""
        return replace(self, temperature=self.temperature * temperature)

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Let it write into a folder `own`, beside a record of what hilt adds to it."""
        (folder / OWN).mkdir()
        with blamed_on(_who(self.kind)):
            self.predictor.save(folder / OWN, labels)
        write_json(folder / WRAPPING, {"temperature": self.temperature})

    def card(self, place: str = ".") -> Card:
        """Say what it is: in its own words, where it has any."""
        with blamed_on(_who(self.kind)):
            if hasattr(self.predictor, "card"):
                told: Card = self.predictor.card(f"{place}/{OWN}")
                return told
        return Card(f"a student of the class `{self.kind}`, which must be installed too")

    @classmethod
    def load(cls, kind: str, folder: Path, device: str, task: Task) -> OwnStudent:
        """Read what `save` wrote.

        Raises:
            ExtensionError: If the class fails to.
            ModelError: If what hilt added is damaged.
        """
        path = folder / WRAPPING
        record = read_object(path) or {}
        temperature = record.get("temperature")
        if not isinstance(temperature, float) or temperature <= 0:
            raise ModelError(f"{path} is damaged; train the student again.")
        with blamed_on(_who(kind)):
            predictor = STUDENTS.load(kind).load(folder / OWN, device)
        return cls(kind, predictor, task, temperature)


def _who(kind: str) -> str:
    return f"Student {kind!r}"
