"""What a third party brings for its task `words`: a proposer and a student."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hilt.pipeline.students.base import Examples
from hilt.proposers.base import Context
from hilt.rows import Rows
from hilt.types import Floats, Items

SMOOTHING = 0.3  # how often each answer is taken to have been given for every word


class Lexicon:
    """Proposes a label for the words that it knows, and is vague about all others."""

    tasks = ("words",)
    reads_embeddings = False

    def __init__(self, context: Context, words: Mapping[str, str]) -> None:
        assert context.task is not None
        self.task, self.words = context.task, dict(words)

    def propose(self, items: Items) -> Rows:
        """Give every word a row; an item without a word that it knows is an abstention."""
        rows = []
        for text in items.contents:
            known = [self.words.get(word) for word in text.lower().split()]
            for label in known:
                row = np.full(1 + len(self.task.labels), 0.1)
                row[0 if label is None else 1 + self.task.labels.index(label)] = 1
                rows.append(row / row.sum() if any(known) else np.full(len(row), np.nan))
        values = np.array(rows, dtype=np.float32).reshape(-1, 1 + len(self.task.labels))
        return Rows(values, self.task.rows.offsets(items.contents))


class WordCounts:
    """Remembers how often each word was given each label."""

    tasks = ("words",)
    reads_embeddings = False

    def __init__(self, counts: dict[str, list[float]], n_columns: int) -> None:
        self.counts, self.n_columns = counts, n_columns

    @classmethod
    def fit(cls, examples: Examples, *, device: str, seed: int) -> WordCounts:
        """Count what the targets say, each as much as it weighs."""
        rows, n_columns = examples.targets.rows, examples.targets.rows.values.shape[1]
        counts: dict[str, Floats] = defaultdict(lambda: np.zeros(n_columns))
        for place, text in enumerate(examples.items.contents):
            weight = examples.targets.weights[place]
            for word, row in zip(text.lower().split(), rows.of(place), strict=True):
                counts[word] = counts[word] + weight * row
        return cls({word: row.tolist() for word, row in counts.items()}, n_columns)

    def predict_proba(self, items: Items) -> Floats:
        """Say how likely each answer is for every word."""
        words = [word for text in items.contents for word in text.lower().split()]
        unknown = [4.0] + [1.0] * (self.n_columns - 1)
        found = [self.counts.get(word, unknown) for word in words]
        rows = np.array(found, dtype=np.float32).reshape(-1, self.n_columns) + SMOOTHING
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))

    def save(self, folder: Path, labels: tuple[str, ...]) -> None:
        """Write the counts."""
        told = {"counts": self.counts, "n_columns": self.n_columns}
        (folder / "counts.json").write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: str) -> WordCounts:
        """Read what `save` wrote."""
        told = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        return cls(told["counts"], told["n_columns"])
