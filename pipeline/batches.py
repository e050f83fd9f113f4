"""The next batch for people: an audit slice, and what the selector picks beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hilt.errors import WorkspaceError
from hilt.pipeline.proposing import latest_training
from hilt.pipeline.store import Outcome
from hilt.pipeline.tables import BatchItemRow
from hilt.pipeline.workspace import Workspace
from hilt.selectors.base import make_selector
from hilt.selectors.duplicates import pick_distinct
from hilt.types import (
    Batch,
    BatchItem,
    Candidate,
    Floats,
    Integers,
    Reason,
    Selection,
    SelectionView,
)

AUDIT_STREAM = 1  # the order of the audit is drawn from (seed, 1), batch b from (seed, 2, b)
BATCH_STREAM = 2


def select(workspace: Workspace, size: int | None = None, *, anew: bool = False) -> Batch:
    """Pick the next batch, or return the open one while somebody may still be reviewing it.

    Args:
        workspace: Where proposals stand.
        size: Items in the batch, `batch.size` of the configuration by default.
        anew: Make a new batch even when the last one has undecided items; those go back to
            the pool.

    Raises:
        WorkspaceError: If there are no proposals yet, or nothing is left to ask about.
    """
    with workspace.locked():
        batch = open_batch(workspace)
        if batch is not None and not anew:
            return batch
        rows = _pick(workspace, size or workspace.config.batch.size)
        training = latest_training(workspace)
        number = workspace.store.add_batch(
            cycle=0 if training is None else training.cycle,
            selector=workspace.config.selector.model_dump(),
            items=rows,
        )
        return read_batch(workspace, number)


def open_batch(workspace: Workspace) -> Batch | None:
    """Return the last batch while any of its items is undecided."""
    numbers = workspace.store.batch_numbers()
    if not numbers:
        return None
    batch = read_batch(workspace, numbers[-1])
    return batch if undecided(workspace, batch).items else None


def undecided(workspace: Workspace, batch: Batch) -> Batch:
    """Return the part of a batch that nobody has decided; a blind item waits for a person."""
    machine = {outcome.index: outcome.machine for outcome in workspace.store.outcomes()}
    open_ = tuple(
        item
        for item in batch.items
        if item.index not in machine or (item.blind and machine[item.index])
    )
    return replace(batch, items=open_)


def read_batch(workspace: Workspace, number: int) -> Batch:
    """Read a batch as it was made.

    Raises:
        WorkspaceError: If there is none of that number.
    """
    rows = workspace.store.batch_items(number)
    if not rows:
        raise WorkspaceError(
            f"{workspace.folder} has no batch {number};"
            f" it has {len(workspace.store.batch_numbers())}."
        )
    texts = workspace.pool.texts([row.item_index for row in rows])
    return Batch(number, tuple(_item(row, text) for row, text in zip(rows, texts, strict=True)))


def _item(row: BatchItemRow, text: str) -> BatchItem:
    return BatchItem(
        rank=row.rank,
        index=row.item_index,
        item_id=row.item_id,
        text=text,
        reason=row.reason,  # type: ignore[arg-type]  # only `_pick` writes it
        score=row.score,
        blind=row.blind,
        proposal=tuple(Candidate(label, probability) for label, probability in row.proposal),
    )


def _pick(workspace: Workspace, size: int) -> list[BatchItemRow]:
    """Draw the audit slice, let the selector fill the rest, and shuffle the two together."""
    config = workspace.config
    outcomes = workspace.store.outcomes()
    number = len(workspace.store.batch_numbers()) + 1
    rng = np.random.default_rng([config.seed, BATCH_STREAM, number])
    audit_order = np.random.default_rng([config.seed, AUDIT_STREAM]).permutation(
        len(workspace.pool)
    )
    view = _view(workspace, outcomes, audit_order)
    audit = _audit(view, audit_order, outcomes, _audit_size(workspace, size))
    view = replace(view, taken=audit.indices)
    parts = [audit]
    if size > len(audit) and len(view.candidates):
        selector = make_selector(config.selector.model_dump())
        parts.append(selector.select(view, size - len(audit), rng))
    if not sum(map(len, parts)):
        raise WorkspaceError(
            "Nothing is left to ask about: every item is decided, or the same as one that is."
        )
    return _rows(workspace, parts, view.probabilities, rng)


def _view(
    workspace: Workspace, outcomes: Sequence[Outcome], audit_order: Integers
) -> SelectionView:
    """Describe the pool to the selector.

    Candidates are the items that are undecided, not the same as a decided one, and not kept for
    the audit. The first items of the audit's order are kept, as large a share of the pool as of
    a batch: so what the selector does never changes what the audit measures.
    """
    config, pool = workspace.config, workspace.pool
    labelled = [outcome for outcome in outcomes if outcome.label is not None]
    free = ~np.isin(pool.groups, pool.groups[[outcome.index for outcome in outcomes]])
    free[audit_order[: int(np.ceil(config.batch.audit * len(pool)))]] = False
    return SelectionView(
        embeddings=workspace.required(workspace.embeddings, "propose").open(),
        probabilities=workspace.required(workspace.fused, "propose").open(),
        candidates=np.flatnonzero(free),
        labelled=np.array([outcome.index for outcome in labelled], dtype=np.int64),
        labels=config.positions_of([str(outcome.label) for outcome in labelled]),
        groups=pool.groups,
        near_duplicate=config.batch.near_duplicate,
    )


def _audit_size(workspace: Workspace, size: int) -> int:
    """Say how many audit items a batch should have, so that the share is kept over all batches."""
    earlier = workspace.store.batch_items()
    audited = sum(row.reason == "audit" for row in earlier)
    wanted = round(workspace.config.batch.audit * (len(earlier) + size))
    return int(np.clip(wanted - audited, 0, size))


def _audit(
    view: SelectionView, order: Integers, outcomes: Sequence[Outcome], count: int
) -> Selection:
    """Take the next undecided items in the order that was drawn once for the whole pool."""
    decided = {outcome.index for outcome in outcomes if not outcome.machine}
    waiting = (
        np.array([index for index in order[start : start + 1024] if index not in decided], np.int64)
        for start in range(0, len(order), 1024)
    )
    indices = pick_distinct(view, waiting, count) if count else np.empty(0, dtype=np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    reason: Reason = "audit"
    return Selection(indices, place[indices] / len(order), (reason,) * len(indices))


def _rows(
    workspace: Workspace,
    parts: Sequence[Selection],
    probabilities: Floats,
    rng: np.random.Generator,
) -> list[BatchItemRow]:
    """Spread the audit items over the batch at random, the selector's own order kept."""
    picked = [
        (int(index), float(score), reason)
        for part in parts
        for index, score, reason in zip(part.indices, part.scores, part.reasons, strict=True)
    ]
    n_audit = sum(reason == "audit" for _, _, reason in picked)
    places = np.sort(rng.choice(len(picked), n_audit, replace=False))
    audit, others = picked[:n_audit], picked[n_audit:]
    for place, entry in zip(places, audit, strict=True):
        others.insert(int(place), entry)
    indices = [index for index, _, _ in others]
    proposals = _likeliest(workspace, probabilities[indices])
    return [
        BatchItemRow(
            rank=rank,
            item_index=index,
            item_id=item_id,
            reason=reason,
            score=round(score, 6),
            blind=reason == "audit",
            proposal=proposal,
        )
        for rank, ((index, score, reason), item_id, proposal) in enumerate(
            zip(others, workspace.pool.ids(indices), proposals, strict=True)
        )
    ]


def _likeliest(workspace: Workspace, probabilities: Floats) -> list[list[list[object]]]:
    """List the likeliest labels of each row with their probabilities, as JSON can hold them."""
    names, count = workspace.config.label_names, workspace.config.batch.candidates
    most = np.argsort(-probabilities.astype(np.float32), axis=1, kind="stable")[:, :count]
    return [
        [[names[place], round(float(row[place]), 4)] for place in order]
        for row, order in zip(
            probabilities, most[:, : workspace.config.batch.candidates], strict=True
        )
    ]
