"""What review costs in a workspace, and how long each item of its pool would take a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.selecting.review_cost import (
    ReviewCost,
    Timings,
    disagreement,
    features,
    perplexity,
    review_cost,
)
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.rows import Rows
from hilt.types import Floats, Integers, Value

ASSUMED_SECONDS = 10.0  # of an item, while no decision has a time


def measured_cost(state: LoopState) -> ReviewCost | None:
    """Learn what review costs from the decisions of people, None while none has a time.

    What made an item slow is read as it stood when its batch was made: since then its label has
    been learnt, and the proposals for it look sure.
    """
    timings = _timings(state)
    if not len(timings):
        return None
    return review_cost(timings, generator(state.files.config.seed, Stream.COST))


def predicted_seconds(
    files: WorkspaceFiles, cost: ReviewCost | None, committee: Committee
) -> Floats | None:
    """Predict how long the typical reviewer needs for each item, proposal in view.

    Returns:
        Shape (n_items,), float32; None unless that is known clearly better than by a constant.
    """
    if cost is None or not cost.is_predictable:
        return None
    fused, lengths, math = files.rows(files.fused), files.pool.lengths, files.task.rows
    seconds = np.empty(len(lengths), dtype=np.float32)
    for block in blocks(len(seconds)):
        indices, rows = np.arange(block.start, block.stop), fused.take(block)
        disagree = disagreement(committee(indices), rows, math)
        effort = _proposed_effort(files, indices, rows) if cost.model.reads_effort else None
        described = features(lengths[block], perplexity(rows, math), disagree, False, effort)
        seconds[block] = cost.model.predict(described)
    return seconds


def _timings(state: LoopState) -> Timings:
    """Gather the decisions of people, one at a time, on items that a batch asked about."""
    whys: dict[tuple[int | None, int], dict[str, Any] | None] = {
        (row.batch, row.item_index): row.why for row in state.batch_items
    }
    timed = [
        (row, why)
        for row in state.standing_decisions
        if row.seconds
        and row.kind not in ("bulk", "machine")
        and (why := whys.get((row.batch, row.item_index)))
    ]
    items = np.array([row.item_index for row, _ in timed], dtype=np.int64)
    effort = _effort(state.files, items, [row.value for row, _ in timed])
    described = features(
        state.files.pool.lengths[items],
        np.array([why["plausible"] for _, why in timed]),
        np.array([why["disagreement"] for _, why in timed]),
        np.array([row.blind for row, _ in timed]),
        effort if effort.any() else None,
    )
    return Timings(
        seconds=np.array([row.seconds for row, _ in timed], dtype=np.float64),
        features=described,
        reviewers=[row.reviewer for row, _ in timed],
        items=items,
    )


def _proposed_effort(files: WorkspaceFiles, indices: Integers, said: Rows) -> Floats:
    """Say how much there would be to do for the answers that are proposed: shape (n,)."""
    contents = files.pool.contents(indices)
    values = [files.task.rows.decode(said.of(n), each) for n, each in enumerate(contents)]
    return _effort(files, indices, values)


def _effort(files: WorkspaceFiles, indices: Integers, values: Sequence[Value]) -> Floats:
    """Say how much there is to do for answers, beside reading the items: shape (n,)."""
    answers, contents = files.task.answers, files.pool.contents(indices)
    each = [answers.effort(value, item) for value, item in zip(values, contents, strict=True)]
    return np.array(each, dtype=np.float64)
