"""What speaks for asking about each item of a batch, in numbers."""

from __future__ import annotations

import numpy as np

from hilt.pipeline.proposing.committee import STUDENT, Committee
from hilt.pipeline.selecting.coverage import coverage, typicality
from hilt.pipeline.selecting.rechecks import Suspects
from hilt.pipeline.selecting.review_cost import disagreement, perplexity
from hilt.rows import Rows
from hilt.types import Explanation, Floats, Integers, SelectionView


def explain(
    view: SelectionView,
    indices: Integers,
    proposal: Rows,
    committee: Committee,
    doubts: Suspects,
    seconds: Floats | None,
    rng: np.random.Generator,
) -> list[Explanation]:
    """Gather what speaks for asking about the items of a batch.

    Args:
        view: The pool as the selector saw it.
        indices: Shape (n,), the items of the batch.
        proposal: What is proposed for them.
        committee: Everyone who proposes.
        doubts: What may be asked again; any of the items that is in it is.
        seconds: Shape (n,), how long a person is predicted to need; None while nobody's time is
            known.
        rng: Draws the items of the pool that are looked at.
    """
    said = committee(indices)
    right = dict(zip(doubts.indices.tolist(), doubts.right.tolist(), strict=True))
    if STUDENT in committee.names:  # it has learnt the labels of these
        student = said[committee.names.index(STUDENT)]
        student.values[student.places(np.flatnonzero(np.isin(indices, doubts.indices)))] = np.nan
    math = view.task.rows
    disagree, plausible = disagreement(said, proposal, math), perplexity(proposal, math)
    covered = coverage(view.embeddings, indices, view.labelled, rng)
    typical = typicality(view.embeddings, indices, rng)
    kinds, names = math.strata(proposal), math.strata_names
    others = [np.where(each.answered, math.strata(each), kinds) for each in said]
    return [
        Explanation(
            plausible=round(float(plausible[place]), 2),
            disagreement=round(float(disagree[place]), 3),
            others={
                name: names[kind[place]]
                for name, kind in zip(committee.names, others, strict=True)
                if kind[place] != kinds[place]
            },
            typicality=round(float(typical[place]), 3),
            covers=int(covered.items[place]),
            sampled=covered.sampled,
            seconds=None if seconds is None else round(float(seconds[place]), 1),
            quality=None if index not in right else round(right[index], 3),
        )
        for place, index in enumerate(indices.tolist())
    ]
