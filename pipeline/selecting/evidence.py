"""What speaks for asking about each item of a batch, in numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.pipeline.proposing.committee import STUDENT, Committee
from hilt.pipeline.selecting.coverage import coverage, typicality
from hilt.pipeline.selecting.rechecks import Suspects
from hilt.pipeline.selecting.review_cost import disagreement, perplexity
from hilt.types import Explanation, Floats, Integers, SelectionView


def explain(
    view: SelectionView,
    indices: Integers,
    probabilities: Floats,
    committee: Committee,
    labels: Sequence[str],
    doubts: Suspects,
    seconds: Floats | None,
    rng: np.random.Generator,
) -> list[Explanation]:
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
    proposed = np.stack([each.values for each in committee(indices)])
    right = dict(zip(doubts.indices.tolist(), doubts.right.tolist(), strict=True))
    rechecked = np.isin(indices, doubts.indices)
    if STUDENT in committee.names:  # it has learnt the labels of these
        proposed[committee.names.index(STUDENT), rechecked] = np.nan
    disagree, plausible = disagreement(proposed, probabilities), perplexity(probabilities)
    covered = coverage(view.embeddings, indices, view.labelled, rng)
    typical = typicality(view.embeddings, indices, rng)
    first = probabilities.argmax(axis=1)
    return [
        Explanation(
            plausible=round(float(plausible[place]), 2),
            disagreement=round(float(disagree[place]), 3),
            others={
                name: labels[row.argmax()]
                for name, row in zip(committee.names, proposed[:, place], strict=True)
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
