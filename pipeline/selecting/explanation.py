"""Why each item of a batch was picked, in plain words: on the screen and in `--explain`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hilt.figures import counted, whole_percent
from hilt.types import BatchItem, Candidate, Explanation, Reason

REASONS: dict[Reason, str] = {
    "audit": "Drawn at random and shown without a proposal, to measure accuracy",
    "coverage": "Picked so that the batch covers the whole pool",
    "inherited": "Inherits the label of a near-duplicate, and is shown without it, to measure how"
    " often that is right",
    "random": "Drawn at random",
    "recheck": "Asked again, because its label may be wrong",
    "spread": "Drawn at random, spread over the predicted labels",
    "uncertain": "Picked because the models are uncertain",
}


def reason_in_words(item: BatchItem) -> str:
    """Say why an item was picked, in one sentence; the screen and `--explain` say the same."""
    sentence = REASONS.get(item.reason, f"Picked as {item.reason!r}")
    if item.reason == "uncertain" and len(item.proposal) > 1:
        sentence += f": {_named(item.proposal[0])} or {_named(item.proposal[1])}"
    if item.reason == "recheck" and item.why is not None and item.why.quality is not None:
        sentence = (
            "Asked again: students that did not learn its label give it a probability of"
            f" {whole_percent(item.why.quality)}"
        )
    return f"{sentence}."


def in_words(item: BatchItem) -> str:
    """Say why an item was picked, and what it stands for; of a blind one, no more than that."""
    why = item.why
    sentences = [reason_in_words(item)]
    if why is None:
        return sentences[0]
    if not item.blind and why.others:
        others = " and ".join(f"{name} says {label}" for name, label in why.others.items())
        sentences.append(f"Proposers: {others}.")
    sentences.append(f"It represents {_covered(why)}, {_typical(why.typicality)}.")
    return " ".join(sentences)


def shown_why(item: BatchItem) -> dict[str, Any]:
    """Give as a dictionary what may be told of an item: of a blind one, only what it covers."""
    why = {} if item.why is None else asdict(item.why)
    allowed = ("typicality", "covers", "sampled") if item.blind else tuple(why)
    return {name: value for name, value in why.items() if name in allowed}


def _named(candidate: Candidate) -> str:
    return f"{candidate.label} ({whole_percent(candidate.probability)})"


def _covered(why: Explanation) -> str:
    if why.covers == 1:
        return "only itself"
    return f"{'about ' if why.sampled else ''}{counted(why.covers, 'item')}"


def _typical(share: float) -> str:
    return "an outlier" if share < 0.1 else f"more typical than {whole_percent(share)} of the pool"
