"""The values that the folders hand to each other, all frozen.

A *position* of a label is its place in the configuration's list of labels;
an *index* of an item is its place in the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from hilt.blocks import blocks
from hilt.errors import DataError
from hilt.loop_signals import LoopSignals
from hilt.media.shown import Shown

if TYPE_CHECKING:
    from hilt.rows import Rows
    from hilt.tasks.base import Measure, Task

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]

Content = Any  # what an item is, as its medium reads it; of the medium `text`, a string
Place = tuple[int | float, ...]  # () for a whole item; what the numbers are is the task's
Reason = Literal["uncertain", "spread", "coverage", "random", "audit", "recheck", "inherited"]
Action = Literal["label", "skip", "flag"]
DecisionKind = Literal[
    "review", "bulk", "check", "simulated", "gold", "adjudication", "rule", "machine"
]


@dataclass(frozen=True, slots=True)
class Label:
    """One label of the task, with the line that says what it means."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One label of an answer, with the place in the item where it holds."""

    label: str
    place: Place = ()


AT_ONCE = 16_384  # items whose rows are copied at one time

Value = tuple[Part, ...]  # one answer: sorted parts; of the task `single` exactly one


@dataclass(frozen=True, slots=True)
class Items:
    """A stretch of items, as proposers, embedders and students see them.

    Attributes:
        ids: One identifier per item.
        contents: What each item is, in the same order; of the medium `text` one text each.
        embeddings: Shape (n, d), unit rows; None before the embedder has run.
    """

    ids: Sequence[str]
    contents: Sequence[Content]
    embeddings: Floats | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def texts(self) -> Sequence[str]:
        """The contents, where the medium is `text`."""
        return self.contents


@dataclass(frozen=True, slots=True)
class Graph:
    """The nearest neighbours of every item, made once for an embedding file.

    Attributes:
        neighbours: Shape (n_items, k), int32, nearest first; -1 where fewer were found. Never
            the item itself, and in a workspace never the same text: of each text the first item
            stands for all. May be memory-mapped.
        cosines: Shape (n_items, k), the cosines to them; -1 where there is none.
    """

    neighbours: Integers
    cosines: Floats


@dataclass(frozen=True, slots=True)
class SelectionView:
    """Everything that a selector may look at.

    Attributes:
        embeddings: Shape (n_items, d), float16 or float32, unit rows; may be memory-mapped,
            so index it with few rows at a time and cast those.
        proposal: The fused proposal, laid out as the task says; of the task `single` a row of
            probabilities an item. May be memory-mapped: `doubt` and `strata` read it in blocks.
        task: The shape of an answer.
        candidates: Shape (n_candidates,), ascending indices that may be picked.
        labelled: Shape (n_labelled,), indices of the items that have a label.
        labels: Shape (n_labelled,), their strata, numbered as `strata` does; of the task `single`
            the positions of their labels.
        groups: Shape (n_items,), the representative of each item's near-duplicates, itself where
            it has none; items with an equal value share a decision.
        taken: Indices already in this batch (the audit slice); nothing near them is picked.
        near_duplicate: Cosine from which two items are too alike for one batch.
        seconds: Shape (n_items,), how long a person is predicted to need for each item; None
            while that is not known better than by a constant.
        committee: Gives what every proposer and the student say of m items, NaN rows where one
            abstains; None where nobody can be asked.
        graph: The nearest neighbours of every item; None where it was not made.
        signals: What the loop has measured so far.
    """

    embeddings: Floats
    proposal: Rows
    task: Task
    candidates: Integers
    labelled: Integers
    labels: Integers
    groups: Integers
    taken: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    near_duplicate: float = 0.95
    seconds: Floats | None = None
    committee: Callable[[Integers], tuple[Rows, ...]] | None = None
    graph: Graph | None = None
    signals: LoopSignals = field(default_factory=LoopSignals)

    @property
    def n_labels(self) -> int:
        """How many labels the task has."""
        return len(self.task.labels)

    def doubt(self, measure: Measure, indices: Integers) -> Floats:
        """Score how unsure the fused proposal is of some items.

        Args:
            measure: `margin`, `least_confident` or `entropy`.
            indices: Shape (m,), which items.

        Returns:
            Shape (m,), float32 in [0, 1]; higher is less certain. O(rows of these items) time.

        Raises:
            DataError: If the proposal for one of them holds NaN.
        """
        scores = np.empty(len(indices), dtype=np.float32)
        for block in blocks(len(indices), AT_ONCE):
            scores[block] = self.task.rows.doubt(self.proposal.take(indices[block]), measure)
        if np.isnan(scores).any():
            index = int(indices[np.isnan(scores).argmax()])
            raise DataError(
                f"The proposal for item {index} contains NaN; make the proposals again."
            )
        return scores

    def strata(self, indices: Integers) -> Integers:
        """Number the kind of answer that is likeliest for some items: shape (m,), int32, from 0."""
        strata = np.empty(len(indices), dtype=np.int32)
        for block in blocks(len(indices), AT_ONCE):
            strata[block] = self.task.rows.strata(self.proposal.take(indices[block]))
        return strata


@dataclass(frozen=True, slots=True)
class Selection:
    """What a selector picked, best first.

    Attributes:
        indices: Shape (k,), distinct indices into the pool.
        scores: Shape (k,), in [0, 1]; what a score means is the selector's own.
        reasons: Why each item was picked.
        note: How the selector went about it, where that is not always the same.
    """

    indices: Integers
    scores: Floats
    reasons: tuple[Reason, ...]
    note: str = ""

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One part of an answer that is proposed for an item, with its probability."""

    part: Part
    probability: float

    @property
    def label(self) -> str:
        """The label of the part."""
        return self.part.label


@dataclass(frozen=True, slots=True)
class Explanation:
    """What speaks for asking about an item, in numbers, as it was when the batch was made.

    Attributes:
        plausible: How many labels are plausible: the perplexity of the fused proposal, from 1.
        disagreement: Share of the proposers with another label than the fused proposal.
        others: Who has another one, and which: label names by the proposers' names.
        typicality: Share of the pool whose surroundings are sparser; near 0 for an outlier.
        covers: How many items of the pool are nearest to it, and near enough.
        sampled: On how many items that was counted and scaled up; None for the whole pool.
        seconds: How long a person is predicted to need; None while nobody's time is known.
        quality: Of a recheck: the probability that the label which people gave is right.
    """

    plausible: float
    disagreement: float
    others: dict[str, str]
    typicality: float
    covers: int
    sampled: int | None = None
    seconds: float | None = None
    quality: float | None = None


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One item of a batch.

    Attributes:
        rank: Place in the batch, from 0.
        index: Place in the pool.
        score: The selector's score, in [0, 1].
        shown: What a person sees of it.
        blind: Whether the person must not see the proposal.
        proposal: What is proposed, the likeliest first, as it was when the batch was made; kept for
            blind items too, but exchanges and screens must not show it for those.
        proposed: The answer that this comes to, which is accepted as a whole; None where nothing is
            proposed.
        why: What speaks for asking about it; None in a batch that an older hilt made. Of a blind
            item only what it covers may be shown.
    """

    rank: int
    index: int
    item_id: str
    shown: Shown
    reason: Reason
    score: float
    blind: bool
    proposal: tuple[Candidate, ...]
    why: Explanation | None = None
    proposed: Value | None = None

    @property
    def text(self) -> str:
        """What a person sees of it, as one text."""
        return self.shown.text


@dataclass(frozen=True, slots=True)
class Batch:
    """What one selection picked, in the order in which people should see it.

    Attributes:
        note: How the selector went about it, where that is not always the same.
        shortage: Why there are fewer items than were asked for, where there are.
    """

    number: int
    items: tuple[BatchItem, ...]
    note: str = ""
    shortage: str = ""

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reviewer said about one item.

    Attributes:
        value: The answer when `action` is "label", else empty. A name stands for a label of the
            whole item, so that `("billing",)` is an answer of the task `single`.
        seconds: Active time, or None when it was not measured.
        source: The way by which the decision came in ("file", "screen", "oracle", ...).
        line: Where it stood in a file, for messages.
        kind: What it is. `review`: a person's answer. `bulk`: one of many that a person accepted
            together; `check`: such an item, asked again one by one and blind. `simulated`: by the
            simulated reviewer. `gold`: an answer that is known to be right. `adjudication`: by a
            person, to settle a disagreement; `rule`: by a rule, to settle one. `machine`: by a
            proposer, and no person.
    """

    item_id: str
    action: Action
    value: Value
    reviewer: str
    batch: int | None = None
    seconds: float | None = None
    comment: str = ""
    source: str = "file"
    decided_at: datetime | None = None
    line: int | None = None
    kind: DecisionKind = "review"

    if TYPE_CHECKING:

        def __init__(  # as it is made, but that `value` may hold names
            self,
            item_id: str,
            action: Action,
            value: tuple[Part | str, ...],
            reviewer: str,
            batch: int | None = None,
            seconds: float | None = None,
            comment: str = "",
            source: str = "file",
            decided_at: datetime | None = None,
            line: int | None = None,
            kind: DecisionKind = "review",
        ) -> None: ...

    def __post_init__(self) -> None:
        """Make parts of names, in order; what is no answer at all is for the gate to refuse."""
        given = self.value
        if isinstance(given, tuple) and all(isinstance(each, Part | str) for each in given):
            parts = [Part(each) if isinstance(each, str) else each for each in given]
            object.__setattr__(self, "value", tuple(sorted(parts) if len(parts) > 1 else parts))
