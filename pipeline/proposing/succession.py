"""How alike the labels of two successive students are."""

from __future__ import annotations

import numpy as np

from hilt.files import read_object, write_json
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.rows import Rows
from hilt.types import Integers

COMPARED_ITEMS = 2000


def compared_labels(files: WorkspaceFiles, proposal: ArrayFile, n_items: int) -> Integers:
    """Read the likeliest kind of answer of a sample of the first items, the same every time."""
    rng = generator(files.config.seed, Stream.SUCCESSION)
    sample = rng.choice(n_items, min(COMPARED_ITEMS, n_items), replace=False)
    layout, values = files.row_layout(files.pool), proposal.open()
    offsets = None if layout.offsets is None else layout.offsets[: n_items + 1]
    return files.task.rows.strata(Rows(values, offsets).take(np.sort(sample)))


def save_stability(files: WorkspaceFiles, cycle: int, before: Integers, after: Integers) -> None:
    """Keep which share of the sample the student of a cycle labels as the one before it did."""
    stability = round(float((before == after).mean()), 4)
    path = files.proposal_summary("student")
    # The key is `agreement` since the first version: older workspaces hold such a file.
    write_json(path, {"cycle": cycle, "agreement": stability})


def read_stability(files: WorkspaceFiles, cycle: int) -> float | None:
    """Read what `save_stability` kept; a process killed before that leaves an earlier cycle's."""
    summary = read_object(files.proposal_summary("student")) or {}
    stability = summary.get("agreement") if summary.get("cycle") == cycle else None
    return stability if isinstance(stability, float) else None
