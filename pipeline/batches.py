"""The next batch for people: an audit slice, and what the selector picks beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from hilt.errors import WorkspaceError
from hilt.pipeline.duplicates.inheriting import inherit, one_of_each, settled_groups, to_check
from hilt.pipeline.outcomes import Outcome
from hilt.pipeline.proposing import latest_training
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

BLIND: tuple[Reason, ...] = ("audit", "inherited")
AUDIT_STREAM = 1  # the order of the audit is drawn from (seed, 1), batch b from (seed, 2, b)
BATCH_STREAM = 2


def select(
    workspace: Workspace, size: int | None = None, *, anew: bool = False, extend: bool = False
) -> Batch:
    """Pick the next batch, or return the open one while somebody may still be reviewing it.

    Args:
        workspace: Where proposals stand.
        size: Items in the batch, `batch.size` of the configuration by default.
        anew: Make a new batch even when the last one has undecided items; those go back to
            the pool.
        extend: Make a new batch beside the open ones, whose undecided items people keep.

    Raises:
        WorkspaceError: If there are no proposals yet, or nothing is left to ask about.
    """
    with workspace.locked():
        batch = open_batch(workspace)
        if batch is not None and not anew and not extend:
            return batch
        open_ = workspace.store.open_batches() if extend else []
        waiting = [row.item_index for each in open_ for row in workspace.store.batch_items(each)]
        rows = _pick(workspace, size or workspace.config.batch.size, waiting)
        training = latest_training(workspace)
        number = workspace.store.add_batch(
            cycle=0 if training is None else training.cycle,
            selector=workspace.config.selector.model_dump(),
            items=rows,
            extends=open_[-1] if open_ else None,
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


def _pick(workspace: Workspace, size: int, waiting: Sequence[int]) -> list[BatchItemRow]:
    """Draw what is asked blind, let the selector fill the rest, and shuffle the two together.

    Items that people are `waiting` for are not picked again.
    """
    config = workspace.config
    outcomes = workspace.store.outcomes()
    number = len(workspace.store.batch_numbers()) + 1
    rng = np.random.default_rng([config.seed, BATCH_STREAM, number])
    audit_order = np.random.default_rng([config.seed, AUDIT_STREAM]).permutation(
        len(workspace.pool)
    )
    kept = audit_order[: int(np.ceil(config.batch.audit * len(audit_order)))]
    view = _view(workspace, outcomes, kept, waiting)
    taken = {outcome.index for outcome in outcomes if not outcome.machine} | set(waiting)
    audit = _audit(view, audit_order, taken, _audit_size(workspace, size))
    view = replace(view, taken=audit.indices)
    passed_over = np.append(kept, np.array(waiting, dtype=np.int64))
    checks = _checks(workspace, view, outcomes, passed_over, size)
    view = replace(view, taken=np.concatenate([audit.indices, checks.indices]))
    parts = [audit, checks]
    left = size - len(audit) - len(checks)
    if left and len(view.candidates):
        selector = make_selector(config.selector.model_dump())
        parts.append(selector.select(view, left, rng))
    if not sum(map(len, parts)):
        raise WorkspaceError(
            "Nothing is left to ask about: every item, or a near-duplicate of it, is decided."
        )
    return _rows(workspace, parts, view.probabilities, rng)


def _view(
    workspace: Workspace, outcomes: Sequence[Outcome], kept: Integers, waiting: Sequence[int]
) -> SelectionView:
    """Describe the pool to the selector.

    Candidates are items of which no near-duplicate is decided or waiting for people, and that are
    not kept for the audit, one of each group. The first items of the audit's order are kept, as
    large a share of the pool as of a batch: so what the selector does never changes what the audit
    measures.
    """
    config = workspace.config
    labelled = [outcome for outcome in outcomes if outcome.label is not None]
    asked = [*(outcome.index for outcome in outcomes), *waiting]
    groups = settled_groups(workspace, outcomes)
    free = ~np.isin(groups, groups[asked])
    free[kept] = False
    return SelectionView(
        embeddings=workspace.required(workspace.embeddings, "propose").open(),
        probabilities=workspace.required(workspace.fused, "propose").open(),
        candidates=one_of_each(groups, free),
        labelled=np.array([outcome.index for outcome in labelled], dtype=np.int64),
        labels=config.positions_of([str(outcome.label) for outcome in labelled]),
        groups=groups,
        near_duplicate=config.batch.near_duplicate,
        graph=workspace.graph,
    )


def _audit_size(workspace: Workspace, size: int) -> int:
    """Say how many audit items a batch should have, so that the share is kept over all batches."""
    earlier = workspace.store.batch_items()
    audited = sum(row.reason == "audit" for row in earlier)
    wanted = round(workspace.config.batch.audit * (len(earlier) + size))
    return int(np.clip(wanted - audited, 0, size))


def _audit(view: SelectionView, order: Integers, taken: Collection[int], count: int) -> Selection:
    """Take the next items in the order that was drawn once for the whole pool, but for `taken`."""
    waiting = (
        np.array([index for index in order[start : start + 1024] if index not in taken], np.int64)
        for start in range(0, len(order), 1024)
    )
    indices = pick_distinct(view, waiting, count) if count else np.empty(0, dtype=np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    reason: Reason = "audit"
    return Selection(indices, place[indices] / len(order), (reason,) * len(indices))


def _checks(
    workspace: Workspace,
    view: SelectionView,
    outcomes: Sequence[Outcome],
    passed_over: Integers,
    size: int,
) -> Selection:
    """Take some of the items that inherit a label, to see how often it is right.

    Those that are kept for the audit are passed over, for there they tell the same, and those that
    people are waiting for.
    """
    share, n_items = workspace.config.duplicates.audited, len(view.groups)
    waiting = to_check(inherit(view.groups, outcomes), n_items, share, workspace.config.seed)
    waiting = waiting[~np.isin(waiting, passed_over)]
    count = min(size - len(view.taken), int(np.ceil(share * size)))
    indices = pick_distinct(view, [waiting], count) if count else waiting[:0]
    reason: Reason = "inherited"
    return Selection(indices, np.zeros(len(indices)), (reason,) * len(indices))


def _rows(
    workspace: Workspace,
    parts: Sequence[Selection],
    probabilities: Floats,
    rng: np.random.Generator,
) -> list[BatchItemRow]:
    """Spread what is asked blind over the batch at random, the selector's own order kept."""
    picked = [
        (int(index), float(score), reason)
        for part in parts
        for index, score, reason in zip(part.indices, part.scores, part.reasons, strict=True)
    ]
    blind = [entry for entry in picked if entry[2] in BLIND]
    others = [entry for entry in picked if entry[2] not in BLIND]
    places = np.sort(rng.choice(len(picked), len(blind), replace=False))
    for place, entry in zip(places, blind, strict=True):
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
            blind=reason in BLIND,
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
