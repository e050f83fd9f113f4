"""The seams of this folder: what gives items a distribution over the labels, or a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hilt.registry import Registry
from hilt.rows import Rows
from hilt.tasks.base import Targets, Task
from hilt.types import Content, Floats, Items, Label


class Proposer(Protocol):
    """Says of every item which answers are how likely, or abstains.

    It is built with a `Context` and the keys of its section of the configuration, and opens
    its model on first use. In an attribute `tasks` it may say which tasks it serves; without, it
    serves all. A proposer with an attribute `calibration` equal to `"batch"` has
    its proposals divided by their mean over the pool; with a false `reads_embeddings` it is not
    asked again when the embedder changes. What else it may offer: `Learner`, `Priced`,
    `Remembering`, `Summarised`, `Portable`.
    """

    def propose(self, items: Items) -> Rows | Floats:
        """Propose answers.

        Args:
            items: n items, with their embeddings.

        Returns:
            Rows as the task lays them out, NaN throughout to abstain; or their values alone, of the
            task `single` of shape (n, n_labels), whose rows sum to 1.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """A proposer that learns from labels; before the first one it abstains."""

    def learn(self, items: Items, targets: Targets) -> None:
        """Take in every label there is, in place of those of an earlier call.

        `propose` must never use an item's own label, nor that of an exact duplicate, for what
        it proposes for labelled items is what it is weighed by.

        Args:
            items: n labelled items, with their embeddings.
            targets: Their labels; of the task `single` one-hot rows.
        """
        ...


@runtime_checkable
class Priced(Protocol):
    """A proposer whose work costs money."""

    def estimate(self, texts: Sequence[str], n_items: int) -> str:
        """Say in a sentence what proposing would take, before it is done.

        Args:
            texts: A random sample of what it would be asked.
            n_items: How many items it would be asked in all.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """A proposer that keeps the answers it paid for."""

    def has_answers(self, texts: Sequence[str]) -> bool:
        """Tell whether it has all answers about these texts, so that they cost nothing."""
        ...


@runtime_checkable
class Summarised(Protocol):
    """A proposer that has something to report about its work."""

    def summary(self) -> dict[str, Any]:
        """Return what a person should know (failures, costs), by name, as JSON can hold it."""
        ...


@runtime_checkable
class Portable(Protocol):
    """A proposer that another machine can build anew, for the runner to ask it there.

    It has no memory: what it says of an item depends on its settings and the item alone. One that
    is also a `Learner`, `Priced`, `Remembering` or `Summarised` is asked in hilt's own process.
    """

    def identity(self) -> Mapping[str, str]:
        """Say what must be the same on the other machine, such as the checksum of its model."""
        ...


class Embedder(Protocol):
    """Gives every item a unit vector.

    A runner may build it anew on another machine, from its section of the configuration; what it
    is there must have the same `fingerprint`.
    """

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of an item that are read; the rest is cut off."""
        ...

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the result: the model, its checksum or revision, the precision."""
        ...

    def embed(self, contents: list[Content]) -> Floats:
        """Embed what items are: texts, where the medium is `text`.

        Returns:
            Shape (n, d), float32, unit rows, in the order of `contents`.
        """
        ...

    def embed_labels(self, descriptions: list[str]) -> Floats | None:
        """Embed the descriptions of labels, which are texts, where they can be compared with items.

        Returns:
            Shape (n_labels, d), float32, unit rows; None where items and texts have no common
            space. A class of the user's own that embeds texts may leave this method out if it makes
            no difference between the two.
        """
        ...

    def token_counts(self, contents: list[Content]) -> list[int]:
        """Count each item's tokens, before any cut."""
        ...


@runtime_checkable
class Checked(Protocol):
    """An embedder that can tell its weights from others of the same name."""

    @property
    def checksum(self) -> str:
        """What changes when the weights do, and with nothing else; empty where it is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What every proposer is built with, beside its own settings.

    Attributes:
        labels: The labels, in their order.
        embedder: What made the items' embeddings.
        device: Where models run: `auto`, `cpu`, `cuda` or `mps`.
        cache: A folder in which answers that were paid for are kept; None for nowhere.
        task: The shape of an answer; None stands for `single`.
    """

    labels: Sequence[Label]
    embedder: Embedder
    device: str = "auto"
    cache: Path | None = None
    task: Task | None = None


PROPOSERS = Registry(
    "proposer",
    {
        "zero_shot": "hilt.proposers.zero_shot:ZeroShot",
        "nli": "hilt.proposers.nli:Entailment",
        "language_model": "hilt.proposers.language_model:LanguageModel",
        "endpoint": "hilt.proposers.endpoint.endpoint:Endpoint",
        "rules": "hilt.proposers.rules:Rules",
        "neighbours": "hilt.proposers.neighbours:Neighbours",
    },
    methods=("propose",),
    given=("context",),
)
EMBEDDERS = Registry(
    "embedder",
    {"sentence_transformers": "hilt.proposers.models.sentence_embedder:SentenceEmbedder"},
    methods=("embed", "token_counts"),
    named=("device",),
)
