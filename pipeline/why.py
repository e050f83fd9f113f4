"""Why each item of a batch was picked, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hilt.pipeline.committee import STUDENT, Committee
from hilt.pipeline.cost_model import disagreement, perplexity
from hilt.pipeline.reach import coverage, typicality
from hilt.pipeline.rechecks import Doubts
from hilt.types import BatchItem, Floats, Integers, Reason, SelectionView, Why

REASONS: dict[Reason, str] = {
    "audit": "drawn at random, and shown without a proposal, to measure",
    "coverage": "unlike what has a label",
    "inherited": "has the label of a near-duplicate, and is shown without it, to measure that",
    "random": "drawn at random",
}


def explain(
    view: SelectionView,
    indices: Integers,
    probabilities: Floats,
    committee: Committee,
    labels: Sequence[str],
    doubts: Doubts,
    seconds: Floats | None,
    rng: np.random.Generator,
) -> list[Why]:
    """Gather what speaks for asking about the items of a batch.

    Args:
        view: The pool as the selector saw it.
        indices: Shape (n,), the items of the batch.
        probabilities: Shape (n, n_labels), what is proposed for them.
        committee: Everyone who proposes.
        labels: The names of the labels.
        doubts: What may be asked again; any of the items that is in it is.
        seconds: Shape (n,), how long a person is predicted to need; None while nobody's time is
            known.
        rng: Draws the items of the pool that are looked at.
    """
    said = committee(indices)
    right = dict(zip(doubts.indices.tolist(), doubts.right.tolist(), strict=True))
    rechecked = np.isin(indices, doubts.indices)
    if STUDENT in committee.names:  # it has learnt the labels of these
        said[committee.names.index(STUDENT), rechecked] = np.nan
    disagree, plausible = disagreement(said, probabilities), perplexity(probabilities)
    covered = coverage(view.embeddings, indices, view.labelled, rng)
    typical = typicality(view.embeddings, indices, rng)
    first = probabilities.argmax(axis=1)
    return [
        Why(
            plausible=round(float(plausible[place]), 2),
            disagreement=round(float(disagree[place]), 3),
            others={
                name: labels[row.argmax()]
                for name, row in zip(committee.names, said[:, place], strict=True)
                if not np.isnan(row[0]) and row.argmax() != first[place]
            },
            typicality=round(float(typical[place]), 3),
            covers=int(covered.items[place]),
            sampled=covered.sampled,
            seconds=None if seconds is None else round(float(seconds[place]), 1),
            quality=None if index not in right else round(right[index], 3),
        )
        for place, index in enumerate(indices.tolist())
    ]


def shown_why(item: BatchItem) -> dict[str, Any]:
    """Give as a dictionary what may be told of an item: of a blind one, only what it covers."""
    why = {} if item.why is None else asdict(item.why)
    allowed = ("typicality", "covers", "sampled") if item.blind else tuple(why)
    return {name: value for name, value in why.items() if name in allowed}


def in_words(item: BatchItem) -> str:
    """Say why an item was picked, and what it stands for; of a blind one, no more than that."""
    why = item.why
    reason = _reason(item)
    if why is None:
        return f"{reason}."
    parts = [reason]
    if not item.blind and why.others:
        parts.append(" and ".join(f"{name} says {label}" for name, label in why.others.items()))
    about = "about " if why.sampled else ""
    stands = "itself alone" if why.covers == 1 else f"{about}{why.covers:,} items"
    parts.append(f"stands for {stands}, {_typical(why.typicality)}")
    return "; ".join(parts) + "."


def _reason(item: BatchItem) -> str:
    if item.reason == "recheck" and item.why is not None and item.why.quality is not None:
        return f"its label is right with {item.why.quality:.0%}, by students that did not learn it"
    if item.reason in REASONS:
        return REASONS[item.reason]
    if len(item.proposal) < 2:
        return item.reason
    first, second = item.proposal[:2]
    return f"{first.label} ({first.probability:.0%}) or {second.label} ({second.probability:.0%})"


def _typical(share: float) -> str:
    if share < 0.1:
        return "an outlier"
    return f"more typical than {share:.0%} of the pool"
