"""Proposers and embedders as the rest of hilt calls them: what they give is checked first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from hilt.distributions import number_array
from hilt.errors import ExtensionError
from hilt.own_code import blamed_on, shortened
from hilt.proposers.base import (
    EMBEDDERS,
    PROPOSERS,
    Checked,
    Context,
    Embedder,
    Learner,
    Portable,
    Priced,
    Remembering,
    Summarised,
)
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.single import Single
from hilt.types import Content, Floats, Items

OFF = 0.02  # how far a vector's length may be from 1: rows in bfloat16 are off by less
MAX_ESTIMATE_LENGTH = 1000  # characters of a sentence about costs
MAX_EXCERPT_LENGTH = 60  # characters of a text that a message shows


class GuardedProposer:
    """A proposer whose every answer is checked, and that is named when it fails.

    Args:
        kind: What `PROPOSERS` knows it by.
        name: What it is called in tables.
        context: The labels, and more.
        settings: Its section of the configuration.

    Raises:
        ConfigError: If it does not serve the task.
        ExtensionError: If it is a class of the user's own that cannot be built.
        UnknownNameError: If there is no such kind.
    """

    def __init__(self, kind: str, name: str, context: Context, settings: Mapping[str, Any]) -> None:
        self._recipe = (kind, name, context, settings)
        self.who = f"Proposer {name!r}" + (f" ({kind})" if kind != name else "")
        self._own = PROPOSERS.is_own(kind)
        self.task = context.task or Single(tuple(label.name for label in context.labels))
        PROPOSERS.check_serves(kind, self.who, tasks=self.task.layout)
        self._proposer = PROPOSERS.make(kind, self.who, settings, context)

    def propose(self, items: Items) -> Rows:
        """Propose answers, as `Proposer` says.

        Raises:
            ExtensionError: If it fails, or gives what are no rows of the task.
        """
        with self._blamed():
            proposed = self._proposer.propose(items)
        return self.task.rows.checked(proposed, items, self.who)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as what it is built with; its model opens anew there."""
        return GuardedProposer, self._recipe

    @property
    def is_portable(self) -> bool:
        """Whether it may be asked on another machine."""
        bound = Learner | Priced | Remembering | Summarised
        return isinstance(self._proposer, Portable) and not isinstance(self._proposer, bound)

    def identity(self) -> Mapping[str, str]:
        """Say what must be the same on another machine, where it `is_portable`."""
        with self._blamed():
            identity: Mapping[str, str] = self._proposer.identity()
        return identity

    @property
    def learns(self) -> bool:
        """Whether it wants the labels."""
        return isinstance(self._proposer, Learner)

    def learn(self, items: Items, targets: Targets) -> None:
        """Give it every label there is, where it `learns`."""
        with self._blamed():
            self._proposer.learn(items, targets)

    @property
    def reads_embeddings(self) -> bool:
        """Whether what it says depends on the embeddings, or may."""
        with self._blamed():
            return bool(getattr(self._proposer, "reads_embeddings", True))

    @property
    def is_priced(self) -> bool:
        """Whether its work costs money."""
        return isinstance(self._proposer, Priced)

    def has_answers(self, texts: Sequence[str]) -> bool:
        """Tell whether all of it was paid for before, where it `is_priced`."""
        with self._blamed():
            return isinstance(self._proposer, Remembering) and bool(
                self._proposer.has_answers(texts)
            )

    def estimate(self, texts: Sequence[str], n_items: int) -> str:
        """Say what proposing would take, where it `is_priced`."""
        with self._blamed():
            return shortened(str(self._proposer.estimate(texts, n_items)), MAX_ESTIMATE_LENGTH)

    def summary(self) -> dict[str, Any] | None:
        """Return what it reports about its work; None where it reports nothing.

        Raises:
            ExtensionError: If that is nothing that JSON can hold.
        """
        if not isinstance(self._proposer, Summarised):
            return None
        with self._blamed():
            told: dict[str, Any] = self._proposer.summary()
        _check_json(told, f"{self.who}: its summary()", mapping=True)
        return told

    @property
    def fingerprint(self) -> Any:  # noqa: ANN401 - anything that JSON can hold
        """What decides its answers beside the configuration; None where nothing does."""
        with self._blamed():
            code = getattr(self._proposer, "fingerprint", None)
        _check_json(code, f"{self.who}: its fingerprint")
        return code

    @property
    def is_calibrated(self) -> bool:
        """Whether its proposals are to be divided by their mean over the pool."""
        with self._blamed():
            return bool(getattr(self._proposer, "calibration", "") == "batch")

    def _blamed(self) -> AbstractContextManager[None]:
        return blamed_on(self.who) if self._own else nullcontext()


def make_embedder(kind: str, device: str, settings: Mapping[str, Any]) -> Embedder:
    """Build an embedder; its model opens on first use.

    Raises:
        ExtensionError: If it is a class of the user's own that cannot be built.
        UnknownNameError: If there is no such kind.
    """
    if EMBEDDERS.is_own(kind):
        return GuardedEmbedder(kind, device, settings)
    embedder: Embedder = EMBEDDERS.make(kind, kind, settings, device=device)
    return embedder


class GuardedEmbedder:
    """An embedder of the user's own, whose vectors are checked, and that is named when it fails.

    Args:
        kind: What `EMBEDDERS` knows it by.
        device: Where it runs.
        settings: Its section of the configuration.

    Raises:
        ExtensionError: If it cannot be built.
        UnknownNameError: If there is no such kind.
    """

    def __init__(self, kind: str, device: str, settings: Mapping[str, Any]) -> None:
        self._recipe = (kind, device, settings)
        self.who = f"Embedder {kind!r}"
        self._embedder: Embedder = EMBEDDERS.make(kind, self.who, settings, device=device)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as what it is built with."""
        return GuardedEmbedder, self._recipe

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._count("dimension")

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read."""
        return self._count("max_tokens")

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the result."""
        with blamed_on(self.who):
            made_by = self._embedder.fingerprint
        _check_json(made_by, f"{self.who}: its fingerprint", mapping=True)
        return made_by

    @property
    def checksum(self) -> str:
        """What changes when the weights do; empty where that is not known."""
        with blamed_on(self.who):
            return self._embedder.checksum if isinstance(self._embedder, Checked) else ""

    def embed(self, contents: list[Content]) -> Floats:
        """Embed what items are, as `Embedder` says.

        Raises:
            ExtensionError: If it fails, or gives what are no unit vectors.
        """
        with blamed_on(self.who):
            given = self._embedder.embed(contents)
        return self._checked(given, contents)

    def embed_labels(self, descriptions: list[str]) -> Floats | None:
        """Embed descriptions of labels; as texts, where it embeds these and has no such method.

        Returns:
            None where items and descriptions have no common space.

        Raises:
            ExtensionError: If it fails, or gives what are no unit vectors.
        """
        if not hasattr(self._embedder, "embed_labels"):
            embeds_texts = "text" in getattr(self._embedder, "media", ("text",))
            return self.embed(descriptions) if embeds_texts else None
        with blamed_on(self.who):
            given = self._embedder.embed_labels(descriptions)
        return None if given is None else self._checked(given, descriptions)

    def _checked(self, given: object, contents: list[Content]) -> Floats:
        vectors = number_array(given, (len(contents), self.dimension), self.who)
        with np.errstate(over="ignore", invalid="ignore"):
            rows: Floats = vectors.astype(np.float32)
            lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
        wrong = np.flatnonzero(~(abs(lengths - 1) <= OFF))
        if len(wrong):
            length = lengths[wrong[0]]
            shown = shortened(repr(contents[wrong[0]]), MAX_EXCERPT_LENGTH)
            trouble = (
                f"has length {length:g}"
                if np.isfinite(length)
                else "is not finite (NaN or infinite)"
            )
            raise ExtensionError(
                f"{self.who} returned vectors that are not unit vectors for {len(wrong)} of"
                f" {len(contents)} items; that of {shown} {trouble}. Divide each by its length."
            )
        return rows

    def token_counts(self, contents: list[Content]) -> list[int]:
        """Count each item's tokens, before any cut."""
        with blamed_on(self.who):
            counts = self._embedder.token_counts(contents)
        who = f"{self.who}: its token_counts()"
        counted = number_array(counts, (len(contents),), who)
        if not ((counted >= 0) & np.isfinite(counted)).all():
            raise ExtensionError(
                f"{who} returned {counted.min():g}; it must return whole numbers of at least 0."
            )
        return [int(count) for count in counted]

    def _count(self, name: str) -> int:
        with blamed_on(self.who):
            value = getattr(self._embedder, name)
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ExtensionError(
                f"{self.who}: its {name} is {shortened(repr(value), 60)};"
                " it must be a whole number, at least 1."
            )
        return int(value)


def _check_json(value: object, what: str, *, mapping: bool = False) -> None:
    """Refuse what JSON cannot hold.

    Raises:
        ExtensionError: If it cannot, or is no mapping where it must be one.
    """
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ExtensionError(
            f"{what} cannot be stored as JSON: {shortened(str(error))}; return plain values."
        ) from None
    if mapping and not isinstance(value, dict):
        raise ExtensionError(f"{what} is a {type(value).__name__}; it must be a dictionary.")
